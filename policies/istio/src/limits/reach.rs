//! The reach of an object: a whole namespace, or all calls.

use serde_json::Value;

use crate::{
    field::Field,
    resource::{Kind, Resource},
};

/// The kinds that bind to workloads.
const BINDS: [Kind; 7] = [
    Kind::Sidecar,
    Kind::EnvoyFilter,
    Kind::AuthorizationPolicy,
    Kind::PeerAuthentication,
    Kind::RequestAuthentication,
    Kind::Telemetry,
    Kind::ProxyConfig,
];

/// The labels that pods of all applications have, from injection, or from the tool or product that they are of.
const OF_NO_APPLICATION: [&str; 5] = [
    "security.istio.io/tlsMode",
    "service.istio.io/canonical-revision",
    "istio.io/rev",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
];

/// The labels of the pods that an object is for; none of a kind that binds to no workloads.
pub(crate) fn selected(resource: &Resource) -> Field<'_> {
    let spec = Field::root("spec", &resource.spec);
    match resource.kind {
        Kind::Sidecar | Kind::EnvoyFilter => spec.get("workloadSelector").get("labels"),
        kind if BINDS.contains(&kind) => spec.get("selector").get("matchLabels"),
        _ => Field::root("spec", &Value::Null),
    }
}

/// True for an object of a kind that binds to workloads, and that is for all of its namespace: also by labels that
/// pods of all applications have.
pub fn is_namespace_wide(resource: &Resource) -> bool {
    let spec = Field::root("spec", &resource.spec);
    BINDS.contains(&resource.kind)
        && selected(resource).entries().all(|(key, _)| OF_NO_APPLICATION.contains(&key))
        && spec.get("targetRefs").is_empty()
        && spec.get("targetRef").is_empty()
}
