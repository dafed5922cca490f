//! Sidecars, which Istio gives listeners by the Services of the pod and by those that it may call.

use super::{Obstacle, are_of, names, number, parts, selects};
use crate::doctor::{
    inventory::{Inventory, Name, Plugin, Pod, PortSelector, Service, Sidecar, TrafficSelector},
    kind::has_mode,
};

/// A sidecar takes a plugin without ports for whatever it receives, and for each HTTP port of a Service for what it
/// sends.
pub(super) fn obstacle<'i>(plugin: &'i Plugin, pod: &Pod, inventory: &'i Inventory) -> Option<Obstacle<'i>> {
    let silencing = nothing_to_send_to(pod, inventory);
    let runs = |part: &TrafficSelector| {
        has_mode(part, "SERVER") && (part.ports.is_empty() || receives_at(&part.ports, pod, inventory))
            || has_mode(part, "CLIENT") && silencing.is_none()
    };
    if parts(plugin).iter().any(runs) {
        return None;
    }
    Some(match silencing {
        Some(name) if parts(plugin).iter().any(|part| has_mode(part, "CLIENT")) => {
            Obstacle::NothingToSendTo(name)
        }
        _ => Obstacle::Ports,
    })
}

/// True if the sidecar may receive HTTP at one of these ports.
fn receives_at(ports: &[PortSelector], pod: &Pod, inventory: &Inventory) -> bool {
    let Some(listening) = &inventory.listening else { return true };
    let namespaces = [&pod.name.namespace, &inventory.istio.root_namespace];
    let is_given = |port: &PortSelector| {
        namespaces.into_iter().any(|of| listening.ports.contains(&(of.clone(), port.number)))
    };
    ports.iter().any(is_given) || inventory.services.iter().any(|service| leads_to(service, ports, pod))
}

/// True if a Service leads to one of these ports of the pod, and not surely by another protocol than HTTP.
fn leads_to(service: &Service, ports: &[PortSelector], pod: &Pod) -> bool {
    // Somebody writes the endpoints of a Service without a selector.
    let is_open = service.selector.is_empty() && service.name.namespace == pod.name.namespace;
    let mut http = service.ports.iter().filter(|port| port.may_be_http);
    http.any(|port| {
        let target = number(&port.target, pod);
        selects(service, pod) && target.is_some_and(|target| names(ports, target))
            || is_open && target.into_iter().chain([port.number]).any(|target| names(ports, target))
    })
}

/// The `Sidecar` that leaves a proxy no service at all to send to.
fn nothing_to_send_to<'i>(pod: &Pod, inventory: &'i Inventory) -> Option<&'i Name> {
    let Inventory { sidecars, istio, .. } = inventory;
    let of = |namespace: &String, has_selector: bool| {
        let is_of = move |sidecar: &&Sidecar| match &sidecar.spec.workload_selector {
            Some(selector) => has_selector && are_of(&selector.labels, pod),
            None => !has_selector,
        };
        sidecars
            .iter()
            .filter(|sidecar| sidecar.metadata.namespace == *namespace)
            .filter(is_of)
            .collect::<Vec<_>>()
    };
    let own = &pod.name.namespace;
    // Istio takes the first that there is, and of several the oldest, which is not known here.
    let ranks = [of(own, true), of(own, false), of(&istio.root_namespace, false)];
    let candidates = ranks.into_iter().find(|rank| !rank.is_empty())?;
    let is_empty = |sidecar: &&Sidecar| {
        let mut hosts = sidecar.spec.egress.iter().flat_map(|egress| &egress.hosts).peekable();
        // `~/*` is no service; what else begins with `~` is left out of others.
        hosts.peek().is_some() && hosts.all(|host| host.starts_with('~'))
    };
    candidates.iter().all(is_empty).then(|| candidates.first().map(|sidecar| &sidecar.metadata))?
}
