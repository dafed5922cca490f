//! The ConfigMap with the archive of a namespace. Its annotations say of which commit it is.

use k8s_openapi::{ByteString, api::core::v1::ConfigMap};
use kube::{ResourceExt, api::ObjectMeta};

use super::{MANAGER, NAMESPACE_LABEL, name};
use crate::istio::{
    artifact::Artifact,
    plan::{Commit, InForce},
};

/// The key of the archive.
const KEY: &str = "artifact.tar.gz";
const COMMIT: &str = "hfi.dev/commit";
const COMMITTED_AT: &str = "hfi.dev/committed-at";
const RENDERER: &str = "hfi.dev/renderer";
const MAX_REMOVALS: &str = "hfi.dev/max-removals";
const JUDGED: &str = "hfi.dev/judged";

/// The ConfigMap of a namespace. `replaced`: the version that it replaces; any if there is none.
pub(super) fn config_map(
    namespace: &str,
    place: &str,
    replaced: Option<String>,
    in_force: &InForce,
) -> ConfigMap {
    let InForce { artifact, commit: Commit { id, at }, renderer, max_removals, judged, .. } = in_force;
    let labels = [MANAGER, (NAMESPACE_LABEL, namespace)];
    let limit = max_removals.map(|limit| (MAX_REMOVALS, limit.to_string()));
    let annotations = [(COMMIT, id), (COMMITTED_AT, at), (RENDERER, renderer), (JUDGED, judged)];
    let annotations = annotations.map(|(key, value)| (key, value.clone()));
    let annotations = annotations.into_iter().chain(limit);
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
        let annotation = |key| {
            let value = config_map.annotations().get(key);
            value.cloned().ok_or_else(|| format!("it has no annotation {key}"))
        };
        Ok(InForce {
            objects: artifact.count().map_err(|error| error.to_string())?,
            artifact,
            commit: Commit { id: annotation(COMMIT)?, at: annotation(COMMITTED_AT)? },
            renderer: annotation(RENDERER)?,
            max_removals: annotation(MAX_REMOVALS).ok().and_then(|limit| limit.parse().ok()),
            judged: annotation(JUDGED).or_else(|_| annotation(COMMIT))?,
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
