//! The ConfigMaps and Secrets that a Pod uses.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, Secret, Service};

/// The kind and the name of an object in the namespace of a Pod.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Reference {
    ConfigMap(String),
    Secret(String),
}

/// The objects as they are now. One that is missing is not there, whether it is optional or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) config_maps: BTreeMap<String, ConfigMap>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Of all namespaces.
    pub(crate) services: Vec<Service>,
}

impl Objects {
    /// The values of an object by their keys.
    pub(super) fn data(&self, reference: &Reference) -> Option<BTreeMap<String, Vec<u8>>> {
        match reference {
            Reference::ConfigMap(name) => {
                let map = self.config_maps.get(name)?;
                let texts =
                    map.data.iter().flatten().map(|(key, text)| (key.clone(), text.clone().into_bytes()));
                let bytes =
                    map.binary_data.iter().flatten().map(|(key, bytes)| (key.clone(), bytes.0.clone()));
                Some(texts.chain(bytes).collect())
            }
            Reference::Secret(name) => {
                let data = self.secrets.get(name)?.data.iter().flatten();
                Some(data.map(|(key, bytes)| (key.clone(), bytes.0.clone())).collect())
            }
        }
    }
}

impl Reference {
    pub(super) fn config_map(name: &str) -> Self {
        Self::ConfigMap(name.to_owned())
    }

    pub(super) fn secret(name: &str) -> Self {
        Self::Secret(name.to_owned())
    }

    /// As Kubernetes says that it is missing.
    pub(super) fn not_found(&self) -> String {
        match self {
            Self::ConfigMap(name) => format!("configmap {name:?} not found"),
            Self::Secret(name) => format!("secret {name:?} not found"),
        }
    }
}

/// Everything that a Pod refers to, in its environment and in its volumes.
pub(crate) fn references(pod: &Pod) -> BTreeSet<Reference> {
    let Some(spec) = &pod.spec else { return BTreeSet::new() };
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let mut found: BTreeSet<_> = containers.flat_map(of_environment).collect();
    for volume in spec.volumes.iter().flatten() {
        found.extend(volume.config_map.iter().map(|source| Reference::config_map(&source.name)));
        let secret = volume.secret.iter().filter_map(|source| source.secret_name.as_deref());
        found.extend(secret.map(Reference::secret));
        let projected = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
        for source in projected {
            found.extend(source.config_map.iter().map(|source| Reference::config_map(&source.name)));
            found.extend(source.secret.iter().map(|source| Reference::secret(&source.name)));
        }
    }
    found
}

fn of_environment(container: &Container) -> Vec<Reference> {
    let mut found = Vec::new();
    for source in container.env_from.iter().flatten() {
        found.extend(source.config_map_ref.iter().map(|source| Reference::config_map(&source.name)));
        found.extend(source.secret_ref.iter().map(|source| Reference::secret(&source.name)));
    }
    for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
        found.extend(source.config_map_key_ref.iter().map(|source| Reference::config_map(&source.name)));
        found.extend(source.secret_key_ref.iter().map(|source| Reference::secret(&source.name)));
    }
    found
}
