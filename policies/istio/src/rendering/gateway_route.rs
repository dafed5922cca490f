//! Routes of the Gateway API: HTTPRoutes and GRPCRoutes.
//!
//! They know less than a VirtualService, and order routes by themselves. What does not fit is collected, so that an
//! entry that asks for such a route gets each reason, and any other one is rendered to a VirtualService.

mod backends;
mod draft;
mod filters;
mod limits;
mod matching;
mod order;
mod overlap;

use serde_json::{Value, json};

pub(super) use self::draft::Draft;
use super::{
    frame::Frame,
    hosts::Hosts,
    json::{object, some},
    part::Part,
};
use crate::{
    resource::Kind,
    written::{Entry, GatewayRef, Route, Target, VirtualService},
};

/// The object of an entry, and what does not fit into it.
pub(super) fn part(
    service: &VirtualService,
    hosts: &Hosts,
    entry: &Entry,
    frame: &Frame<'_>,
) -> (Part, Draft) {
    let kind = if service.is_grpc { Kind::GrpcRoute } else { Kind::HttpRoute };
    let mut draft = Draft::new(kind);
    let falls_back = service.falls_back && service.routes.iter().all(|route| !route.matches.is_empty());
    let fallback = falls_back.then(Route::default);
    let routes: Vec<_> = service.routes.iter().chain(&fallback).collect();
    refuse_whole(service, hosts, entry, frame, &mut draft);
    if service.port.is_none() {
        // A VirtualService is for all ports.
        draft.differs();
    }
    if service.port.is_none() && routes.iter().any(|route| route.target == Target::Own) {
        draft.lacks("port", "each destination has a port");
    }
    let written = service.routes.len();
    if limits::has_few_matches(&routes, &mut draft) {
        order::check(&routes, written, &mut draft);
    }
    let rules = routes.iter().enumerate().map(|(number, route)| {
        draft.enter(if number < written { format!("routes[{number}].") } else { String::new() });
        rule(route, service, frame, &mut draft)
    });
    let rules: Vec<_> = rules.collect();
    let own = frame.own_host();
    let public: Vec<_> = hosts.all.iter().filter(|host| **host != own).collect();
    let spec = object([
        ("parentRefs", Some(parents(service, frame))),
        ("hostnames", some(public)),
        ("rules", Some(Value::Array(rules))),
    ]);
    let is_changed = entry.patch.is_some() || routes.iter().any(|route| route.patch.is_some());
    draft.enter(String::new());
    if draft.fits() && !is_changed {
        limits::check(kind, &spec, written, &mut draft);
    }
    (Part::new(kind, spec), draft)
}

/// What holds for the whole entry.
fn refuse_whole(
    service: &VirtualService,
    hosts: &Hosts,
    entry: &Entry,
    frame: &Frame<'_>,
    draft: &mut Draft,
) {
    if hosts.target != frame.own_host() {
        let reason = "has another service than its own, and an HTTPRoute cannot be for the callers of one \
                      namespace alone";
        draft.misfit("hosts", reason);
    }
    if entry.namespaces.is_some() {
        draft.misfit("namespaces", "has no counterpart");
    }
    if service.has_external_weights {
        draft.misfit("weights", "is about the routes of a VirtualService");
    }
    if service.retries.is_some() {
        draft.misfit("retries", "has no counterpart in the standard channel");
    }
    if service.timeout.is_some() && draft.is_grpc() {
        draft.misfit("timeout", "has no counterpart");
    }
    if let Some(GatewayRef::Entry(name)) =
        service.gateways.iter().find(|gateway| matches!(gateway, GatewayRef::Entry(_)))
    {
        let reason =
            format!("has `{name}`, a Gateway of Istio, and takes `NAMESPACE/NAME` of one of the Gateway API");
        draft.misfit("gateways", &reason);
    }
    if !service.gateways.is_empty() {
        // A VirtualService takes them for Gateways of Istio.
        draft.differs();
        if service.hosts.is_empty() {
            draft.lacks("hosts", "no host means every host of the Gateways");
        }
    }
    // Changes by the author are of the fields of a VirtualService, unless the route is asked for.
    let is_changed = |route: &Route| route.patch.is_some();
    if entry.patch.is_some() || service.routes.iter().any(is_changed) {
        draft.differs();
    }
}

/// The Service for calls in the mesh, and the Gateways.
fn parents(service: &VirtualService, frame: &Frame<'_>) -> Value {
    let own = service.is_internal.then(|| {
        let name = frame.application.service.as_str();
        object([
            ("group", Some(json!(""))),
            ("kind", Some(json!("Service"))),
            ("name", Some(json!(name))),
            // Calls of other ports are left alone.
            ("port", service.port.map(|port| json!(port))),
        ])
    });
    let gateways = service.gateways.iter().filter_map(|gateway| match gateway {
        GatewayRef::Object { namespace, name } => Some(json!({
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "name": name.as_str(),
            "namespace": namespace.as_str(),
        })),
        GatewayRef::Entry(_) => None,
    });
    own.into_iter().chain(gateways).collect()
}

fn rule(route: &Route, service: &VirtualService, frame: &Frame<'_>, draft: &mut Draft) -> Value {
    let timeout = route.timeout.or(service.timeout).filter(|_| !matches!(route.target, Target::Redirect(_)));
    if route.timeout.is_some() && draft.is_grpc() {
        draft.misfit("timeout", "has no counterpart");
    }
    if route.retries.is_some() {
        draft.misfit("retries", "has no counterpart in the standard channel");
    }
    let matches = matching::matches(route, draft);
    let filters = filters::filters(route, frame, draft);
    let mut rule = object([
        ("matches", some(matches)),
        ("filters", some(filters)),
        ("backendRefs", backends::of(route, service, frame, draft)),
        ("timeouts", timeout.map(|timeout| json!({"request": timeout.to_string()}))),
    ]);
    if let Some(patch) = &route.patch {
        patch.apply(&mut rule);
    }
    rule
}
