//! The reasons why a plugin never runs in a proxy that Istio gives it to. Such a proxy has lost nothing, and never polls.
//! What is not known for sure is no reason.

mod gateway;
mod sidecar;

use std::fmt;

use super::{
    inventory::{
        Inventory, Labels, Name, Plugin, Pod, PortSelector, ProxyKind, Service, TargetPort, TrafficSelector,
    },
    kind::{has_mode, kind},
};

/// The reason why a plugin never runs in a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle<'i> {
    /// It is for one revision of Istio, and the proxy belongs to another one.
    Revision { plugin: &'i str, proxy: &'i str },
    /// It runs on the other side only: gateways send, waypoints receive.
    Side,
    /// None of its ports is an HTTP port of the proxy.
    Ports,
    /// No Gateway gives it an HTTP listener.
    NoHttpListener,
    /// A `Sidecar` leaves the proxy nothing to send to.
    NothingToSendTo(&'i Name),
}

impl fmt::Display for Obstacle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision { plugin, proxy } => {
                write!(f, "it is for revision {plugin} of Istio, and the proxy is of revision {proxy}")
            }
            Self::Side => {
                f.write_str("gateways run plugins of mode CLIENT only, and waypoints those of mode SERVER")
            }
            Self::Ports => f.write_str("none of its ports is an HTTP port of the proxy"),
            Self::NoHttpListener => f.write_str("no Gateway gives the proxy an HTTP listener"),
            Self::NothingToSendTo(sidecar) => write!(f, "Sidecar {sidecar} leaves it no service to send to"),
        }
    }
}

/// The reason why a plugin that Istio gives to a proxy never runs there.
pub(super) fn obstacle<'i>(
    plugin: &'i Plugin,
    pod: &'i Pod,
    inventory: &'i Inventory,
) -> Option<Obstacle<'i>> {
    if let (Some(plugin), Some(proxy)) = (&plugin.revision, &pod.revision)
        && plugin != proxy
    {
        return Some(Obstacle::Revision { plugin, proxy });
    }
    match kind(pod, inventory) {
        ProxyKind::Waypoint => waypoint(plugin),
        ProxyKind::Gateway => gateway::obstacle(plugin, pod, inventory),
        ProxyKind::Sidecar => sidecar::obstacle(plugin, pod, inventory),
    }
}

/// The parts of `match`, each of which is enough; one for everything if there are none.
fn parts(plugin: &Plugin) -> &[TrafficSelector] {
    const ANY: &[TrafficSelector] = &[TrafficSelector { mode: None, ports: Vec::new() }];
    if plugin.spec.r#match.is_empty() { ANY } else { &plugin.spec.r#match }
}

/// For Istio a waypoint receives, at no port.
fn waypoint(plugin: &Plugin) -> Option<Obstacle<'_>> {
    let mut server = parts(plugin).iter().filter(|part| has_mode(part, "SERVER")).peekable();
    match server.peek() {
        None => Some(Obstacle::Side),
        Some(_) => (!server.any(|part| part.ports.is_empty())).then_some(Obstacle::Ports),
    }
}

/// True if one of the ports is this one.
fn names(ports: &[PortSelector], number: u16) -> bool {
    ports.iter().any(|port| port.number == number)
}

/// The port of the pod, if it has it.
fn number(target: &TargetPort, pod: &Pod) -> Option<u16> {
    match target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            pod.ports.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
        }
    }
}

/// True if a Service is for the pod.
fn selects(service: &Service, pod: &Pod) -> bool {
    let Service { name, selector, .. } = service;
    name.namespace == pod.name.namespace && !selector.is_empty() && are_of(selector, pod)
}

fn are_of(labels: &Labels, pod: &Pod) -> bool {
    labels.iter().all(|(name, value)| pod.labels.get(name) == Some(value))
}
