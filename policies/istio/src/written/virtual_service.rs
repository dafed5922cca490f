//! `virtualService`: how requests to the application's service are routed.

mod matching;
mod retries;
mod route;
mod shaping;
mod target;

use policies::reading::{Cursor, Fields, word};

pub use self::{
    matching::{NameMatch, RequestMatch, TextMatch},
    retries::Retries,
    route::Route,
    shaping::{Cors, HeaderChanges, Mirror, Origin, Rewrite},
    target::{Destination, Redirect, Respond, Share, Target},
};
use super::{
    fields::{duration, host, items, label, port},
    scope::Scope,
};
use crate::values::{Duration, Host, Label};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualService {
    /// Hosts beside the own service.
    pub hosts: Vec<Host>,
    /// True if calls in the mesh are routed, those to the own service among them.
    pub is_internal: bool,
    pub gateways: Vec<GatewayRef>,
    /// The port of the own service that requests at Gateways go to.
    pub port: Option<u32>,
    /// For routes that have none of their own.
    pub timeout: Option<Duration>,
    pub retries: Option<Retries>,
    pub routes: Vec<Route>,
    /// True if requests that no route takes go to the own service.
    pub falls_back: bool,
    /// True if something else in the cluster shifts the weights.
    pub has_external_weights: bool,
    /// Absent: as it suits the data plane.
    pub render: Option<Render>,
    /// True if the calls are of gRPC.
    pub is_grpc: bool,
}

/// The API whose resource an entry is rendered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Render {
    VirtualService,
    /// An HTTPRoute or a GRPCRoute of the Gateway API.
    GatewayApi,
}

/// A Gateway of Istio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayRef {
    /// The `gateway` entry of this name in the same document.
    Entry(Label),
    Object {
        namespace: Label,
        name: Label,
    },
}

pub(super) fn read(fields: &mut Fields<'_>, scope: &Scope<'_>) -> Option<VirtualService> {
    let hosts = fields.read("hosts", |field| items(field, |item| host_of(&item))).or(Vec::new());
    let is_internal = fields.read("internal", Cursor::boolean).or(true);
    let gateways = fields.read("gateways", |field| items(field, |item| gateway(&item))).or(Vec::new());
    let port = fields.read("port", port).optional();
    let timeout = fields.read("timeout", duration).optional();
    let retries = fields.read("retries", retries::read).optional();
    let routes = fields.read("routes", |field| items(field, |item| route::read(&item))).or(Vec::new());
    let fallbacks = [("own", true), ("none", false)];
    let falls_back = word(fields.take("fallback"), &fallbacks);
    let weights = fields.read("weights", |field| word(Some(field.clone()), &[("external", true)])).or(false);
    let renders = [("virtualService", Render::VirtualService), ("httpRoute", Render::GatewayApi)];
    let render = fields.read("render", |field| word(Some(field.clone()), &renders)).optional();
    let is_grpc = fields.read("grpc", Cursor::boolean).or(false);
    let service = VirtualService {
        hosts: hosts?,
        is_internal: is_internal?,
        gateways: gateways?,
        port: port?,
        timeout: timeout?,
        retries: retries?,
        routes: routes?,
        falls_back: falls_back?,
        has_external_weights: weights?,
        render: render?,
        is_grpc: is_grpc?,
    };
    check(&service, fields.cursor());
    if service.hosts.is_empty() && !service.gateways.is_empty() {
        let reason = "has `gateways` and no `hosts`: no public name is served there";
        scope.notes.warn("APP19", fields.cursor(), reason);
    }
    Some(service)
}

/// What holds for several attributes together.
fn check(service: &VirtualService, cursor: &Cursor<'_>) {
    let VirtualService { hosts, is_internal, gateways, routes, falls_back, timeout, retries, .. } = service;
    if !*is_internal && gateways.is_empty() {
        cursor.report("has `internal: false` and no `gateways`, so it would route nothing; name a Gateway");
    }
    if routes.is_empty() && !*falls_back {
        cursor.report("has no `routes` and `fallback: none`, so it would route nothing; write a route");
    }
    if hosts.is_empty() && routes.is_empty() && timeout.is_none() && retries.is_none() && gateways.is_empty()
    {
        cursor.report("says nothing; write `routes`, `timeout`, `retries` or `hosts`");
    }
}

fn host_of(item: &Cursor<'_>) -> Option<Host> {
    let host = host(item)?;
    if host.as_str() == "*" {
        item.report("would take every call; name the hosts, or write `*.` before a domain");
        return None;
    }
    Some(host)
}

fn gateway(item: &Cursor<'_>) -> Option<GatewayRef> {
    match item.string()?.split_once('/') {
        None => label(item).map(GatewayRef::Entry),
        Some((namespace, name)) => {
            let label = |text: &str| item.accept(Label::try_from(text.to_owned()));
            Some(GatewayRef::Object { namespace: label(namespace)?, name: label(name)? })
        }
    }
}
