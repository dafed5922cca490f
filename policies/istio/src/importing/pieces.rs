//! Attributes that may render a part of a resource: guesses, in the order in which they are tried.
//!
//! Each is a merge patch of an entry. One that does not render what was read is dropped, so a guess may ignore
//! whatever it does not know.

mod authorization_policy;
mod cors;
mod destination_rule;
mod gateway;
mod matching;
mod peer_authentication;
mod route;
mod service_entry;
mod virtual_service;

use serde_json::{Map, Value, json};

use super::header::Header;
use crate::resource::{Kind, Resource};

/// The guesses for a resource.
pub(super) fn of(resource: &Resource, header: &Header) -> Vec<Value> {
    match resource.kind {
        Kind::DestinationRule => destination_rule::pieces(&resource.spec),
        Kind::VirtualService => virtual_service::pieces(resource, header),
        Kind::ServiceEntry => service_entry::pieces(&resource.spec),
        Kind::Gateway => gateway::pieces(&resource.spec),
        Kind::AuthorizationPolicy => authorization_policy::pieces(resource, header),
        Kind::PeerAuthentication => peer_authentication::pieces(&resource.spec, header),
        // These are not imported.
        Kind::HttpRoute | Kind::GrpcRoute => Vec::new(),
        // What these say is mostly lists that hfi adds to.
        Kind::EnvoyFilter
        | Kind::ProxyConfig
        | Kind::Sidecar
        | Kind::RequestAuthentication
        | Kind::Telemetry => Vec::new(),
    }
}

/// A map of what is there.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let there = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect())
}

/// The same, if anything is there.
fn some<const N: usize>(fields: [(&str, Option<Value>); N]) -> Option<Value> {
    let value = object(fields);
    value.as_object().is_some_and(|fields| !fields.is_empty()).then_some(value)
}

/// The field of this name.
fn get(value: &Value, name: &str) -> Option<Value> {
    value.get(name).filter(|field| !field.is_null()).cloned()
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The fields of a map but these, as the `spec` of an item.
fn others(value: &Value, known: &[&str]) -> Option<Value> {
    let fields = value.as_object()?.iter().filter(|(key, _)| !known.contains(&key.as_str()));
    let fields: Map<_, _> = fields.map(|(key, value)| (key.clone(), value.clone())).collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// The ways in which `applyTo` may say what a resource binds to. An entry for all of a namespace has no selector: it
/// would not be for all.
fn bindings(spec: &Value, header: &Header) -> Vec<Value> {
    let selector = spec.pointer("/selector/matchLabels");
    let target = list(spec, "targetRefs").first();
    match (selector, target) {
        (None, None) => vec![json!({"applyTo": "namespace"})],
        (Some(labels), None) if *labels == header.workload => {
            vec![json!({}), json!({"applyTo": "workload"})]
        }
        (None, Some(target)) => match (text(target, "kind"), text(target, "name")) {
            (Some("Gateway"), Some(name)) => vec![json!({"applyTo": {"gateway": name}})],
            (Some("Service"), Some(name)) if name == header.service => {
                vec![json!({}), json!({"applyTo": "service"})]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Every binding with every one of these attributes.
fn bound(bindings: &[Value], attributes: &[Value]) -> Vec<Value> {
    let both = |binding: &Value, attributes: &Value| {
        let mut both = attributes.clone();
        crate::values::merge(&mut both, binding);
        both
    };
    attributes
        .iter()
        .flat_map(|attributes| bindings.iter().map(move |binding| both(binding, attributes)))
        .collect()
}
