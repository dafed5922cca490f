//! The reach of an object: a whole namespace, or all calls.

use crate::{
    field::Field,
    resource::{Kind, Resource},
};

/// True for an object of a kind that binds to workloads, and that is for all of its namespace.
pub fn is_namespace_wide(resource: &Resource) -> bool {
    let spec = Field::root("spec", &resource.spec);
    let labels = match resource.kind {
        Kind::Sidecar | Kind::EnvoyFilter => spec.get("workloadSelector").get("labels"),
        Kind::AuthorizationPolicy
        | Kind::PeerAuthentication
        | Kind::RequestAuthentication
        | Kind::Telemetry
        | Kind::ProxyConfig => spec.get("selector").get("matchLabels"),
        Kind::DestinationRule
        | Kind::VirtualService
        | Kind::HttpRoute
        | Kind::GrpcRoute
        | Kind::ServiceEntry
        | Kind::Gateway => return false,
    };
    labels.is_empty() && spec.get("targetRefs").is_empty() && spec.get("targetRef").is_empty()
}

/// True for a policy that denies all calls: an ALLOW without rules, or a DENY with a rule that asks for nothing.
pub fn denies_all(resource: &Resource) -> bool {
    let is_written_down_only =
        resource.annotations.get("istio.io/dry-run").is_some_and(|value| value == "true");
    if resource.kind != Kind::AuthorizationPolicy || is_written_down_only {
        return false;
    }
    let spec = Field::root("spec", &resource.spec);
    let asks_for_nothing = |rule: Field| ["from", "to", "when"].iter().all(|list| rule.get(list).is_empty());
    match spec.word("action") {
        "" | "ALLOW" => spec.get("rules").is_empty(),
        "DENY" => spec.get("rules").items().any(asks_for_nothing),
        _ => false,
    }
}
