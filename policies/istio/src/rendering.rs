//! Applications to resources.
//!
//! A file for each kind says which objects an entry renders to, as parts: their `spec` alone. What all have in
//! common is put around them here: names, labels, `exportTo`, what they bind to, and the author's `spec`.

mod authorization_policy;
mod binding;
mod destination_rule;
mod envoy_filter;
mod frame;
mod gateway;
mod gateway_route;
mod hosts;
mod identities;
mod json;
mod name;
mod part;
mod peer_authentication;
mod proxy_config;
mod request_authentication;
mod service_entry;
mod setting;
mod sidecar;
mod telemetry;
mod virtual_service;
mod ztunnel;

use std::collections::BTreeSet;

use policies::reading::Place;
use serde_json::json;

pub use self::setting::Setting;
use self::{frame::Frame, part::Part};
use crate::{
    finding::Finding,
    resource::{Kind, Resource},
    rules,
    written::{Application, Attributes, Entry},
};

/// A resource, and the place of the entry that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub resource: Resource,
    pub entry: Place,
    /// The path of the entry, such as `spec.gateway[0]`.
    pub field: String,
}

impl Rendered {
    /// A finding about the resource, at the entry that it comes from.
    pub(crate) fn located(&self, found: Finding) -> Finding {
        let Self { resource, entry, field } = self;
        Finding { field: format!("{field} ({} {})", resource.kind.name(), found.field), at: *entry, ..found }
    }
}

/// The resources of an application, sorted, or what keeps them from being rendered. Warnings come with both.
pub fn render(application: &Application, setting: &Setting) -> (Vec<Rendered>, Vec<Finding>) {
    let frame = Frame::new(application, setting);
    let (mut rendered, mut findings, mut admits_waypoint) = (Vec::new(), Vec::new(), false);
    for entry in &application.entries {
        let parts = parts(entry, &frame);
        let own: Vec<_> = parts.iter().filter(|part| !part.is_beside).collect();
        if own.len() > 1 {
            let of_one = [("resourceName", entry.resource_name.is_some()), ("spec", entry.patch.is_some())];
            let names: Vec<_> = own.iter().filter_map(|part| part.suffix).collect();
            let names = names.join("`, `");
            for (field, _) in of_one.into_iter().filter(|(_, is_written)| *is_written) {
                let reason = format!("is for one object, and the entry renders one each for `{names}`");
                let finding = entry.error("APP03", field, reason);
                findings.push(finding.right("divide the entry, so that each renders one"));
            }
        }
        admits_waypoint |= parts.iter().any(|part| part.suffix == Some(authorization_policy::WAYPOINT));
        rendered.extend(parts.into_iter().map(|part| around(part, entry, &frame)));
    }
    rendered.sort_by(|a, b| a.resource.order().cmp(&b.resource.order()));
    findings.extend(frame.take_findings());
    findings.extend(identities::check(&rendered, admits_waypoint, &frame));
    findings.extend(ztunnel::check(&rendered, &frame));
    // As if they were written by hand: their author may have changed them by `spec`.
    let broken = rendered.iter().flat_map(|rendered| {
        rules::check(&rendered.resource).into_iter().map(|found| rendered.located(found))
    });
    let known: BTreeSet<_> = findings.iter().map(|known| (known.rule, known.at)).collect();
    let is_new = |found: &Finding| !known.contains(&(found.rule, found.at));
    let broken: Vec<_> = broken.filter(is_new).collect();
    findings.extend(broken);
    findings.extend(clashes(&rendered));
    (rendered, findings)
}

/// The objects of an entry, as far as its attributes say.
fn parts(entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    match &entry.attributes {
        None => vec![Part { binding: entry.apply_to.clone(), ..Part::new(entry.kind, json!({})) }],
        Some(Attributes::DestinationRule(rule)) => destination_rule::parts(rule, entry, frame),
        Some(Attributes::VirtualService(service)) => virtual_service::parts(service, entry, frame),
        Some(Attributes::ServiceEntry(service)) => service_entry::parts(service, entry, frame),
        Some(Attributes::Gateway(gateway)) => gateway::parts(gateway, entry, frame),
        Some(Attributes::EnvoyFilter(attributes)) => envoy_filter::parts(attributes, entry, frame),
        Some(Attributes::ProxyConfig(attributes)) => proxy_config::parts(attributes, entry, frame),
        Some(Attributes::Sidecar(attributes)) => sidecar::parts(attributes, entry, frame),
        Some(Attributes::AuthorizationPolicy(attributes)) => {
            authorization_policy::parts(attributes, entry, frame)
        }
        Some(Attributes::PeerAuthentication(attributes)) => {
            peer_authentication::parts(attributes, entry, frame)
        }
        Some(Attributes::RequestAuthentication(attributes)) => {
            request_authentication::parts(attributes, entry, frame)
        }
        Some(Attributes::Telemetry(attributes)) => telemetry::parts(attributes, entry, frame),
    }
}

/// Completes an object.
fn around(part: Part, entry: &Entry, frame: &Frame<'_>) -> Rendered {
    let Part { kind, suffix, is_beside, mut spec, binding, annotations } = part;
    if let Some(namespaces) = &entry.namespaces {
        json::set(&mut spec, "exportTo", json!(namespaces));
    }
    if let Some(binding) = &binding {
        binding::write(&mut spec, kind, binding, frame);
    }
    if let Some(patch) = entry.patch.as_ref().filter(|_| !is_beside) {
        patch.apply(&mut spec);
    }
    // An object beside that of the entry has the name of its kind; a route of the Gateway API has its own.
    let kind_of_name = if Kind::GATEWAY_API.contains(&kind) { kind } else { entry.kind };
    let resource = Resource {
        kind,
        namespace: frame.application.namespace.to_string(),
        name: name::of(entry, kind_of_name, suffix, is_beside, frame.application.name.as_str()),
        labels: frame.labels(),
        annotations: frame.annotations(annotations),
        spec,
    };
    Rendered { resource, entry: entry.place, field: entry.field.clone() }
}

/// Objects with one name: an error for each but the first.
fn clashes(rendered: &[Rendered]) -> impl Iterator<Item = Finding> {
    rendered.windows(2).filter_map(move |pair| match pair {
        [one, other] if one.resource.order() == other.resource.order() => {
            let (one, other) = if one.entry <= other.entry { (one, other) } else { (other, one) };
            let Resource { kind, name, .. } = &one.resource;
            let (kind, line) = (kind.name(), one.entry.line);
            let reason = format!("renders to the {kind} `{name}`, as the entry of line {line} does");
            Some(Finding::error("APP04", &other.field, reason).at(other.entry).right("rename one"))
        }
        _ => None,
    })
}
