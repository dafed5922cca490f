//! The ConfigMap with the archive of a namespace. Its annotations say of which commit it is.

use k8s_openapi::{ByteString, api::core::v1::ConfigMap};
use kube::{ResourceExt, api::ObjectMeta};
use policies::Timestamp;

use super::{MANAGED_BY, NAMESPACE_LABEL, name};
use crate::{
    istio::{
        artifact::Artifact,
        plan::{Commit, InForce},
    },
    source::ancestry::CommitId,
};

/// The key of the archive.
const KEY: &str = "artifact.tar.gz";
const COMMIT: &str = "hfi.dev/commit";
const COMMITTED_AT: &str = "hfi.dev/committed-at";
const RENDERER: &str = "hfi.dev/renderer";
const MAX_REMOVALS: &str = "hfi.dev/max-removals";
const JUDGED: &str = "hfi.dev/judged";
const JUDGED_AT: &str = "hfi.dev/judged-at";

/// The ConfigMap of a namespace. `replaced`: the version that it replaces; any if there is none.
pub(super) fn config_map(
    namespace: &str,
    place: &str,
    replaced: Option<String>,
    in_force: &InForce,
) -> ConfigMap {
    let InForce { artifact, commit: Commit { id, at }, renderer, max_removals, judged, .. } = in_force;
    let labels = [MANAGED_BY, (NAMESPACE_LABEL, namespace)];
    let limit = max_removals.map(|limit| (MAX_REMOVALS, limit.to_string()));
    let annotations = [
        (COMMIT, id),
        (COMMITTED_AT, at),
        (RENDERER, renderer),
        (JUDGED, &judged.id),
        (JUDGED_AT, &judged.at),
    ];
    // Of a commit that is not known there is none.
    let annotations = annotations.into_iter().filter(|(_, value)| !value.is_empty());
    let annotations = annotations.map(|(key, value)| (key, value.clone())).chain(limit);
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name(namespace)),
            namespace: Some(place.to_owned()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            annotations: Some(annotations.map(|(key, value)| (key.to_owned(), value)).collect()),
            resource_version: replaced,
            ..ObjectMeta::default()
        },
        binary_data: Some([(KEY.to_owned(), ByteString(artifact.bytes.to_vec()))].into()),
        ..ConfigMap::default()
    }
}

/// The namespace and the archive of a ConfigMap.
pub(super) fn archive(config_map: &ConfigMap) -> Option<(String, Artifact)> {
    let namespace = namespace(config_map)?;
    let bytes = config_map.binary_data.as_ref()?.get(KEY)?;
    Some((namespace, Artifact::of_bytes(bytes.0.clone().into())))
}

/// The namespace of a ConfigMap, and what it says is in force; or the reason why that is unknown.
pub(super) fn in_force(config_map: &ConfigMap) -> Option<(String, Result<InForce, String>)> {
    let namespace = namespace(config_map)?;
    let read = || {
        let (_, artifact) = archive(config_map).ok_or_else(|| format!("it has no key {KEY}"))?;
        let annotation = |key| config_map.annotations().get(key).map(String::as_str);
        let required = |key| annotation(key).ok_or_else(|| format!("it has no annotation {key}"));
        let is_wrong = |key, value: &str| format!("its annotation {key} is {value:?}");
        let commit = |id_key, at_key| {
            let (id, at) = (required(id_key)?, required(at_key)?);
            CommitId::from_hex(id).ok_or_else(|| is_wrong(id_key, id))?;
            let time = Timestamp::parse(at).map_err(|_| is_wrong(at_key, at))?;
            Ok::<_, String>(Commit { id: id.to_owned(), at: time.to_rfc3339() })
        };
        let limit = annotation(MAX_REMOVALS);
        let limit = limit.map(|limit| limit.parse().map_err(|_| is_wrong(MAX_REMOVALS, limit)));
        // Without these, all lines of messages up to the newest commit count as used up.
        let is_judged = annotation(JUDGED).is_some() && annotation(JUDGED_AT).is_some();
        let nothing = || Commit { id: String::new(), at: String::new() };
        Ok(InForce {
            objects: artifact.count().map_err(|error| error.to_string())?,
            artifact,
            commit: commit(COMMIT, COMMITTED_AT)?,
            renderer: required(RENDERER)?.to_owned(),
            max_removals: limit.transpose()?,
            judged: if is_judged { commit(JUDGED, JUDGED_AT)? } else { nothing() },
        })
    };
    let reason =
        |reason: String| format!("the ConfigMap {} is not as hfi wrote it: {reason}", config_map.name_any());
    Some((namespace, read().map_err(reason)))
}

/// The namespace that a ConfigMap is for, if it has the name for that.
pub(super) fn namespace(config_map: &impl ResourceExt) -> Option<String> {
    let namespace = config_map.labels().get(NAMESPACE_LABEL)?;
    (config_map.name_any() == name(namespace)).then(|| namespace.clone())
}

#[cfg(test)]
mod tests {
    use super::{Artifact, Commit, InForce, config_map, in_force};
    use crate::istio::objects::Objects;

    /// What a ConfigMap of `shop` says, after a change of an annotation by hand.
    fn read(change: impl FnOnce(&mut std::collections::BTreeMap<String, String>)) -> Result<InForce, String> {
        let commit = |digit: &str, at: &str| Commit { id: digit.repeat(40), at: at.to_owned() };
        let written = InForce {
            artifact: Artifact::of(&Objects::default()).unwrap(),
            objects: 0,
            commit: commit("1", "2026-01-01T00:00:00Z"),
            renderer: "1".to_owned(),
            max_removals: Some(2),
            judged: commit("2", "2026-01-02T00:00:00Z"),
        };
        let mut stored = config_map("shop", "hfi-istio", None, &written);
        assert_eq!(in_force(&stored).unwrap().1, Ok(written));
        change(stored.metadata.annotations.as_mut().unwrap());
        in_force(&stored).unwrap().1
    }

    #[test]
    fn an_annotation_that_somebody_has_changed_is_no_limit_and_no_consent() {
        for (key, value) in [
            ("hfi.dev/commit", "main"),
            ("hfi.dev/committed-at", "x"),
            ("hfi.dev/max-removals", "abc"),
            ("hfi.dev/judged", "2"),
            ("hfi.dev/judged-at", "yesterday"),
        ] {
            let read = read(|annotations| drop(annotations.insert(key.to_owned(), value.to_owned())));
            let told = format!(
                "the ConfigMap hfi-istio-shop is not as hfi wrote it: its annotation {key} is {value:?}"
            );
            assert_eq!(read, Err(told));
        }
        let without = read(|annotations| annotations.retain(|key, _| key != "hfi.dev/renderer"));
        assert!(without.unwrap_err().ends_with("it has no annotation hfi.dev/renderer"));
    }

    #[test]
    fn without_the_commit_that_was_judged_no_line_of_a_message_counts() {
        let read = read(|annotations| annotations.retain(|key, _| key != "hfi.dev/judged")).unwrap();
        assert_eq!(read.judged, Commit { id: String::new(), at: String::new() });
        let stored_again = config_map("shop", "hfi-istio", None, &read);
        assert_eq!(in_force(&stored_again).unwrap().1, Ok(read));
    }
}
