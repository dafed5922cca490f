//! Gateways, which Istio gives listeners by Gateway resources.

use super::{Obstacle, are_of, names, number, parts, selects};
use crate::doctor::{
    inventory::{Gateway, GatewayOf, Inventory, Listening, Name, Plugin, Pod, TrafficSelector},
    kind::{self, has_mode},
};

/// For Istio a gateway sends, by the ports at which it listens.
pub(super) fn obstacle<'i>(plugin: &'i Plugin, pod: &Pod, inventory: &Inventory) -> Option<Obstacle<'i>> {
    let mut client = parts(plugin).iter().filter(|part| has_mode(part, "CLIENT")).peekable();
    if client.peek().is_none() {
        return Some(Obstacle::Side);
    }
    let listening = inventory.listening.as_ref()?;
    if is_of_ingress(pod, listening) {
        return None;
    }
    let gateways: Vec<_> = listening.gateways.iter().filter(|gateway| has(gateway, pod)).collect();
    if gateways.iter().any(|gateway| gateway.is_open) {
        return None;
    }
    let ports: Vec<_> = gateways.iter().flat_map(|gateway| &gateway.http_ports).copied().collect();
    if ports.is_empty() {
        return Some(Obstacle::NoHttpListener);
    }
    // A Service can lead from the port of a Gateway to another one of the pod.
    let services = inventory.services.iter().filter(|service| selects(service, pod));
    let behind = services.flat_map(|service| &service.ports).filter(|port| ports.contains(&port.number));
    let mut all: Vec<_> = behind.filter_map(|port| number(&port.target, pod)).collect();
    all.extend(&ports);
    let meets =
        |part: &TrafficSelector| part.ports.is_empty() || all.iter().any(|port| names(&part.ports, *port));
    (!client.any(meets)).then_some(Obstacle::Ports)
}

/// True if a Gateway is for the pod.
fn has(gateway: &Gateway, pod: &Pod) -> bool {
    match &gateway.of {
        GatewayOf::Own(Name { namespace, name }) => {
            *namespace == pod.name.namespace && kind::gateway(pod) == Some(name)
        }
        GatewayOf::Labels(labels) => are_of(labels, pod),
        GatewayOf::Any => true,
    }
}

/// True if Istio may make listeners of an Ingress in the pod. It goes by the label `istio`, whose value the mesh
/// configuration names.
fn is_of_ingress(pod: &Pod, listening: &Listening) -> bool {
    let value = pod.labels.get("istio").map(String::as_str);
    listening.has_ingress && !matches!(value, None | Some("egressgateway" | "eastwestgateway"))
}
