//! VirtualServices.

mod gateways;
mod matching;
mod route;
mod sides;

use serde_json::{Value, json};

use super::{
    frame::Frame,
    gateway_route,
    hosts::{self, Hosts},
    json::{object, some},
    part::Part,
};
use crate::{
    finding::FORM,
    opinions::virtual_service as opinions,
    resource::Kind,
    written::{Dataplane, Entry, Render, Route, Target, VirtualService},
};

pub(super) fn parts(service: &VirtualService, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let hosts = hosts::of(service, entry, frame);
    let is_ambient = frame.dataplane() == Dataplane::Ambient;
    let is_asked_for = match service.render {
        Some(render) => render == Render::GatewayApi,
        None => service.is_grpc && is_ambient,
    };
    let may_be = is_asked_for || is_ambient && service.render.is_none();
    if may_be {
        let (part, draft) = gateway_route::part(service, &hosts, entry, frame);
        if is_asked_for || draft.suffices() {
            // A part of a route would have mistakes that nobody made.
            return if draft.report(entry, frame) { vec![part] } else { Vec::new() };
        }
    }
    if service.is_grpc {
        let finding = entry.error(FORM, "grpc", "is for routes of the Gateway API");
        frame.report(finding.right("write `render: httpRoute`, or take it out"));
    }
    if service.port.is_some() && service.gateways.is_empty() && !may_be {
        let finding = entry.error(FORM, "port", "is for Gateways: in the mesh a call keeps its port");
        frame.report(finding.right("take it out, or write `gateways` or `render: httpRoute`"));
    }
    vec![part(service, hosts, entry, frame)]
}

fn part(service: &VirtualService, hosts: Hosts, entry: &Entry, frame: &Frame<'_>) -> Part {
    let VirtualService { is_internal, gateways, routes, falls_back, has_external_weights, .. } = service;
    let Hosts { all: hosts, target } = hosts;
    let names: Vec<_> = gateways.iter().filter_map(|gateway| gateways::name(gateway, entry, frame)).collect();
    // Without gateways a VirtualService is for the mesh alone.
    let mesh = (*is_internal && !names.is_empty()).then(|| sides::MESH.to_owned());
    let names: Vec<_> = mesh.into_iter().chain(names).collect();
    let rendered = |route: &Route| {
        let sides = sides::of(&route.target, service, &names).into_iter();
        sides.map(|side| route::route(route, service, &target, &side, frame)).collect::<Vec<_>>()
    };
    let falls_back = *falls_back && routes.iter().all(|route| !route.matches.is_empty());
    let fallback = falls_back.then(Route::default);
    let http: Vec<_> = routes.iter().chain(&fallback).flat_map(rendered).collect();
    if frame.dataplane() == Dataplane::Ambient {
        refuse_from(service, entry, frame);
    }
    let spec = object([
        ("hosts", Some(json!(hosts))),
        ("gateways", some(names)),
        ("http", Some(Value::Array(http))),
    ]);
    let mut part = Part::new(Kind::VirtualService, spec);
    if *has_external_weights {
        let (key, value) = opinions::EXTERNAL_WEIGHTS;
        part.annotations.insert(key.to_owned(), value.to_owned());
    }
    part
}

/// Refuses `from`, which a waypoint does not know.
fn refuse_from(service: &VirtualService, entry: &Entry, frame: &Frame<'_>) {
    let has_from = |route: &Route| {
        route
            .matches
            .iter()
            .any(|matched| matched.from_namespace.is_some() || !matched.from_labels.is_empty())
    };
    if service.routes.iter().any(has_from) {
        let reason = "has a route with `from`, which a waypoint does not know: it would never match";
        let finding = entry.error("APP06", "routes", reason);
        frame.report(finding.right("take it out, or write an AuthorizationPolicy"));
    }
}

/// True if a route is forwarded.
pub(super) fn is_forwarded(target: &Target) -> bool {
    !matches!(target, Target::Redirect(_) | Target::Respond(_))
}

/// The destination of a service.
pub(super) fn destination(host: &str, subset: Option<&str>, port: Option<u32>) -> Value {
    object([
        ("host", Some(json!(host))),
        ("subset", subset.map(|subset| json!(subset))),
        ("port", port.map(|port| json!({"number": port}))),
    ])
}
