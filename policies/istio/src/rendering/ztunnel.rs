//! Objects of ambient that no waypoint reads. ztunnel knows connections alone: it drops what it does not know of a
//! policy, and what is left is wider, or empty.
//!
//! Objects are judged as they are rendered, whatever wrote them: attributes, or Istio's own fields.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Rendered, frame::Frame};
use crate::{
    field::Field,
    finding::Finding,
    limits::{is_namespace_wide, selected},
    opinions::authorization_policy::DRY_RUN,
    resource::{Kind, Resource},
    rules::{of_http, selects_gateways},
    written::Dataplane,
};

/// The keys of `when` that ztunnel knows.
const KEYS: [&str; 5] =
    ["source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port"];

/// What of a rule ztunnel does not know: all that HTTP alone has, and callers by what proxies before it tell.
pub(super) fn unknown<'a>(rule: &Field<'a>) -> Option<Field<'a>> {
    let sources = rule.get("from").items().map(|from| from.get("source"));
    let remote =
        sources.flat_map(|source| ["remoteIpBlocks", "notRemoteIpBlocks"].map(|name| source.get(name)));
    let keys = rule.get("when").items().map(|when| when.get("key"));
    let keys = keys.filter(|key| key.text().is_some_and(|key| !KEYS.contains(&key)));
    of_http(rule).chain(remote.filter(Field::is_set)).chain(keys).next()
}

/// An error for each entry with an object that does nothing in ambient, or something else.
pub(super) fn check(rendered: &[Rendered], frame: &Frame<'_>) -> Vec<Finding> {
    if frame.dataplane() != Dataplane::Ambient {
        return Vec::new();
    }
    let mut told = BTreeSet::new();
    let gateways = rendered.iter().filter(|rendered| rendered.resource.kind == Kind::Gateway);
    let gateways: Vec<_> = gateways.filter_map(|gateway| gateway.resource.spec.get("selector")).collect();
    let is_at_gateway =
        |resource: &Resource| selects_gateways(resource) || gateways.contains(&selected(resource).value());
    // The proxies of gateways read what selects them.
    let others = rendered.iter().filter(|rendered| !is_at_gateway(&rendered.resource));
    let found = others.filter_map(|rendered| Some((rendered, lost(&rendered.resource)?)));
    let found = found.filter(|(rendered, _)| told.insert(rendered.entry));
    found.map(|(rendered, found)| rendered.located(found)).collect()
}

/// What is lost of an object.
fn lost(resource: &Resource) -> Option<Finding> {
    let spec = Field::root("spec", &resource.spec);
    let error =
        |at: Field, reason: &str, right: &str| Some(Finding::error("APP06", at.path(), reason).right(right));
    let requests = |at| {
        let reason = "is dropped: in ambient, pods and namespaces have only ztunnel, which does not know it";
        let right =
            "write `applyTo: service`, and no selector; select the pods of a gateway by its label `istio`";
        error(at, reason, right)
    };
    let has_target = ["targetRefs", "targetRef"].iter().any(|name| !spec.get(name).is_empty());
    match resource.kind {
        Kind::ProxyConfig if is_namespace_wide(resource) => error(
            spec,
            "is for waypoints alone in ambient, where other pods have no proxies, and restarts their pods",
            "take the entry out; write one for the waypoints by hand if they need it",
        ),
        Kind::Sidecar | Kind::ProxyConfig => {
            error(spec, "does nothing in ambient, where pods have no proxies", "take the entry out")
        }
        _ if has_target => None,
        Kind::AuthorizationPolicy => of_requests(resource).and_then(requests),
        Kind::RequestAuthentication => requests(spec),
        // Waypoints read the Telemetry of their namespace.
        Kind::Telemetry if !is_namespace_wide(resource) => requests(spec),
        Kind::PeerAuthentication => {
            error(disabled(&spec)?, "is a mode that ztunnel does not know", "write `permissive`")
        }
        Kind::EnvoyFilter => error(
            spec,
            "binds to the pod's proxy, which ambient does not have",
            "write `applyTo: {gateway: NAME}` with the name of the waypoint",
        ),
        _ => None,
    }
}

/// What only a proxy that reads requests knows of a policy.
fn of_requests(resource: &Resource) -> Option<Field<'_>> {
    let spec = Field::root("spec", &resource.spec);
    let (key, value) = DRY_RUN;
    if resource.annotations.get(key).is_some_and(|written| written == value) {
        return Some(Field::root(&format!("metadata.annotations.{key}"), &Value::Null));
    }
    match spec.word("action") {
        "AUDIT" | "CUSTOM" => Some(spec.get("action")),
        _ => spec.get("rules").items().find_map(|rule| unknown(&rule)),
    }
}

/// The mode of a PeerAuthentication that takes no mutual TLS.
fn disabled<'a>(spec: &Field<'a>) -> Option<Field<'a>> {
    let ports = spec.get("portLevelMtls").entries().map(|(_, port)| port);
    let modes = [spec.get("mtls")].into_iter().chain(ports).map(|mtls| mtls.get("mode"));
    modes.into_iter().find(|mode| mode.text() == Some("DISABLE"))
}
