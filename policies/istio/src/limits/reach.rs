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

/// The labels by which a tool or a product marks pods of all its applications.
const OF_NO_APPLICATION: [&str; 4] = [
    "app.kubernetes.io/created-by",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
];

/// The domains whose labels injection, charts and nodes give to pods of all applications.
const OF_PROGRAMS: [&str; 3] = ["istio.io", "helm.sh", "topology.kubernetes.io"];

/// The labels of these domains that say the application, or the Gateway.
const OF_ONE: [&str; 2] = ["service.istio.io/canonical-name", "istio.io/gateway-name"];

/// True for a label that most pods have, whatever application they are of.
fn is_of_no_application(key: &str) -> bool {
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    let is_within =
        |of: &&str| domain.strip_suffix(*of).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    OF_NO_APPLICATION.contains(&key) || !OF_ONE.contains(&key) && OF_PROGRAMS.iter().any(is_within)
}

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
        && selected(resource).entries().all(|(key, _)| is_of_no_application(key))
        && spec.get("targetRefs").is_empty()
        && spec.get("targetRef").is_empty()
}
