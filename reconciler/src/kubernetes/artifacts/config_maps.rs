//! The ConfigMaps of all namespaces, as last read or written.
//!
//! Each write says which version it replaces. So one of a former leader, or one without an answer, that comes late is
//! refused, or is noticed by the next one.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, ResourceExt as _, api::Patch};
use tracing::warn;

use super::{WRITE, apply, name, ours, stored};
use crate::{
    istio::plan::{InForce, Namespaces},
    kubernetes::client::call::{CallError, with_timeout},
    planning::order::Known,
};

pub(super) struct ConfigMaps {
    objects: Api<ConfigMap>,
    /// The namespace that they are in.
    place: String,
    known: Known,
    /// The version of each; none of one that is gone, or whose last write has no good answer.
    versions: Namespaces<String>,
}

impl ConfigMaps {
    pub(super) fn new(client: Client, place: &str) -> Self {
        Self {
            objects: Api::namespaced(client, place),
            place: place.to_owned(),
            known: Known::default(),
            versions: Namespaces::default(),
        }
    }

    /// What is in force in each namespace that has one.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// What is in force in a namespace, if that is known.
    pub(super) fn in_force(&self, namespace: &str) -> Option<&InForce> {
        self.known.get(namespace)?.as_ref().ok()
    }

    /// True if the ConfigMap of a namespace is not there, although it is known.
    pub(super) fn lacks(&self, namespace: &str) -> bool {
        !self.versions.contains_key(namespace)
    }

    /// Another replica may write now.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.versions.clear();
    }

    /// Reads what others have changed. True if something else is in force than was known.
    pub(super) async fn read(&mut self) -> Result<bool, CallError> {
        let listed = with_timeout(WRITE, self.objects.list_metadata(&ours())).await?;
        let found = listed.items.iter();
        let found: Namespaces<String> =
            found.filter_map(|found| Some((stored::namespace(found)?, found.resource_version()?))).collect();
        let is_there = |namespace: &String| found.contains_key(namespace);
        self.versions.retain(|namespace, _| is_there(namespace));
        let before = self.known.len();
        // One that was deleted is put back, if it is known.
        self.known.retain(|namespace, known| is_there(namespace) || known.is_ok());
        let mut is_changed = self.known.len() != before;
        for (namespace, version) in found {
            if self.versions.get(&namespace) == Some(&version) {
                continue;
            }
            let config_map = with_timeout(WRITE, self.objects.get_opt(&name(&namespace))).await?;
            let read = |config_map: ConfigMap| {
                let version = config_map.resource_version()?;
                Some((version, stored::in_force(&config_map)?.1))
            };
            // It was deleted since.
            let Some((version, in_force)) = config_map.and_then(read) else { continue };
            if let Err(reason) = &in_force {
                warn!(namespace, reason, "it is not known what is in force");
            }
            self.versions.insert(namespace.clone(), version);
            is_changed |= self.known.get(&namespace) != Some(&in_force);
            self.known.insert(namespace, in_force);
        }
        Ok(is_changed)
    }

    /// Writes what is to be in force in a namespace.
    pub(super) async fn write(&mut self, namespace: &str, next: &InForce) -> Result<(), CallError> {
        let version = self.versions.remove(namespace);
        let patch = Patch::Apply(stored::config_map(namespace, &self.place, version, next));
        let written = with_timeout(WRITE, self.objects.patch(&name(namespace), &apply(), &patch)).await?;
        self.versions.extend(written.resource_version().map(|version| (namespace.to_owned(), version)));
        self.known.insert(namespace.to_owned(), Ok(next.clone()));
        Ok(())
    }
}
