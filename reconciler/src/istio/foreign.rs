//! Objects of the cluster that others may have made, and that an application must not take over unseen.

use std::collections::{BTreeMap, BTreeSet};

use istio_config::{Kind, ObjectId, Resource};
use serde::{Deserialize, Serialize};

use super::objects::{Key, Objects, key};

/// An object of a namespace, by its kind and name; as text `KIND/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Named(pub Key);

/// The objects of each namespace that others have made; or the reason why that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign(pub BTreeMap<String, BTreeMap<Named, Option<String>>>);

impl Named {
    pub fn api_version(&self) -> &'static str {
        self.0.0.api_version()
    }

    pub fn kind(&self) -> &'static str {
        self.0.0.name()
    }

    pub fn name(&self) -> &str {
        &self.0.1
    }
}

impl Foreign {
    /// The same, as catalogs take it.
    pub(super) fn by_id(&self) -> impl Iterator<Item = (ObjectId, istio_config::Foreign)> {
        self.0.iter().flat_map(|(namespace, objects)| {
            objects.iter().map(|(Named((kind, name)), unknown)| {
                let foreign = match unknown {
                    None => istio_config::Foreign::Made,
                    Some(reason) => istio_config::Foreign::Unknown(reason.clone()),
                };
                ((namespace.clone(), *kind, name.clone()), foreign)
            })
        })
    }

    /// What namespaces last had, without the applications of which an object is of others.
    pub(super) fn without_taken(&self, earlier: &BTreeMap<String, Objects>) -> BTreeMap<String, Objects> {
        let left = |(namespace, objects): (&String, &Objects)| {
            let mut left = objects.clone();
            if let Some(foreign) = self.0.get(namespace) {
                let is_of_others = |object: &Resource| foreign.contains_key(&Named(key(object)));
                for (name, _) in objects.applications().filter(|(_, own)| own.iter().any(is_of_others)) {
                    left.set(name, Vec::new());
                }
            }
            (namespace.clone(), left)
        };
        earlier.iter().map(left).collect()
    }
}

/// The objects of each namespace.
pub(super) fn by_namespace(ids: &BTreeSet<ObjectId>) -> BTreeMap<String, BTreeSet<Named>> {
    let mut namespaces = BTreeMap::<_, BTreeSet<_>>::new();
    for (namespace, kind, name) in ids {
        namespaces.entry(namespace.clone()).or_default().insert(Named((*kind, name.clone())));
    }
    namespaces
}

impl From<Named> for String {
    fn from(Named((kind, name)): Named) -> Self {
        format!("{}/{name}", kind.name())
    }
}

impl TryFrom<String> for Named {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (kind, name) = text.split_once('/').unwrap_or_default();
        let kind = Kind::of_rendered(kind).ok_or_else(|| format!("{text} is no object of hfi"))?;
        Ok(Self((kind, name.to_owned())))
    }
}
