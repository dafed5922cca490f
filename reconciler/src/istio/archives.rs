//! The archives that this replica serves.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use bytes::Bytes;

use super::artifact::Artifact;

/// The newest archive of each namespace, and the one before: Flux may ask for it until it knows of the newest.
#[derive(Debug, Default)]
pub struct Archives(RwLock<BTreeMap<String, Kept>>);

#[derive(Debug, Default)]
struct Kept {
    newest: Option<Artifact>,
    before: Option<Artifact>,
}

impl Archives {
    /// Keeps the artifact of a namespace.
    pub fn put(&self, namespace: &str, artifact: Artifact) {
        let mut archives = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Kept { newest, before } = archives.entry(namespace.to_owned()).or_default();
        if newest.as_ref().is_none_or(|newest| newest.digest != artifact.digest) {
            *before = newest.replace(artifact);
        }
    }

    /// The archive of a namespace with this file name, if it is here.
    pub fn get(&self, namespace: &str, file: &str) -> Option<Bytes> {
        let archives = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Kept { newest, before } = archives.get(namespace)?;
        let mut kept = newest.iter().chain(before);
        kept.find(|artifact| Artifact::file(&artifact.digest) == file).map(|artifact| artifact.bytes.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Archives, Artifact};

    #[test]
    fn the_newest_and_the_one_before_are_served_and_only_to_their_namespace() {
        let archives = Archives::default();
        let [a, b, c] = ["a", "b", "c"].map(|text| Artifact::of_bytes(text.into()));
        let get = |namespace, artifact: &Artifact| archives.get(namespace, &Artifact::file(&artifact.digest));
        for artifact in [&a, &b, &b, &c] {
            archives.put("shop", artifact.clone());
        }
        assert_eq!([&a, &b, &c].map(|artifact| get("shop", artifact).is_some()), [false, true, true]);
        assert_eq!(get("bank", &c), None);
    }
}
