//! The protocol of a port of Pods, which each of their Services says.
//!
//! A sidecar takes it from the oldest Service. Istio warns of any two ports that lead to one port of the Pods, and of
//! TCP and UDP at one port (IST0137, IST0116). These do no harm while both are HTTP or neither is.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::{
    finding::Finding,
    rules::{pods::Pods, protocol},
    surroundings::{Object, PodTemplate, Service, ServicePort, TargetPort},
    values::{LabelPairs, Protocol},
};

pub(super) const ID: &str = "X116";

/// A port of a Service that says its protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Speaker<'a> {
    service: &'a str,
    /// The numbers of the port in the Service, and of the Service among the objects.
    at: usize,
    number: usize,
    port: &'a ServicePort,
    protocol: Protocol,
}

pub(super) fn x116(objects: &[&Object]) -> Found {
    let pods = Pods::new(objects.iter().filter_map(|object| object.pods()));
    let namespaces: BTreeMap<_, _> = objects.iter().filter_map(|object| object.namespace()).collect();
    let mut by_port: BTreeMap<_, BTreeSet<Speaker>> = BTreeMap::new();
    for (number, object) in objects.iter().enumerate() {
        let Object::Service(service) = object else { continue };
        let namespace = &*service.named.namespace;
        let around = namespaces.get(namespace).copied();
        let wanted: Vec<_> = service.selector.iter().map(|(key, value)| (&**key, &**value)).collect();
        // Nobody knows the Pods of a Service without a selector.
        let behind = pods.with(Some(namespace), &wanted).filter(|_| !wanted.is_empty());
        for pods in behind.filter(|pods| have_sidecars(pods, around)) {
            for speaker in speakers(number, service) {
                by_port.entry((namespace, &pods.labels, &speaker.port.target)).or_default().insert(speaker);
            }
        }
    }
    let differing = by_port.values().flat_map(|speakers| {
        let first = speakers.first().copied();
        let others = speakers.iter().filter_map(move |other| Some((*other, first?)));
        others.filter(|(other, first)| is_http(other.protocol) != is_http(first.protocol))
    });
    // Several Pods may be behind the same two ports.
    let told: BTreeMap<_, _> =
        differing.map(|(other, first)| ((other.number, other.at), (other, first))).collect();
    told.into_values().map(|(other, first)| (other.number, finding(other, first))).collect()
}

fn is_http(protocol: Protocol) -> bool {
    protocol::Protocol::from(protocol).is_http()
}

fn speakers(number: usize, service: &Service) -> impl Iterator<Item = Speaker<'_>> {
    let ports = service.ports.iter().enumerate();
    ports.filter_map(move |(at, port)| {
        let protocol = port.protocol.filter(|protocol| protocol.name() != "UDP")?;
        Some(Speaker { service: &service.named.name, at, number, port, protocol })
    })
}

/// True if the repository says so.
fn have_sidecars(pods: &PodTemplate, namespace: Option<&LabelPairs>) -> bool {
    let own = |key| pods.labels.get(key).map(String::as_str);
    let of_namespace = |key| namespace?.get(key).map(String::as_str);
    let mode = own("istio.io/dataplane-mode").or_else(|| of_namespace("istio.io/dataplane-mode"));
    match own("sidecar.istio.io/inject") {
        Some(answer) => answer == "true",
        None if mode == Some("ambient") => false,
        None => match of_namespace("istio-injection") {
            Some(answer) => answer == "enabled",
            None => own("istio.io/rev").or_else(|| of_namespace("istio.io/rev")).is_some(),
        },
    }
}

fn finding(other: Speaker<'_>, first: Speaker<'_>) -> Finding {
    let port = match &other.port.target {
        TargetPort::Number(number) => number.to_string(),
        TargetPort::Name(name) => format!("`{name}`"),
    };
    let reason = format!(
        "leads to port {port} of the same Pods as port {} of the Service `{}`, by {} instead of {}: sidecars take the protocol of the older Service for both",
        first.port.number,
        first.service,
        other.protocol.name(),
        first.protocol.name()
    );
    Finding::warning(ID, format!("spec.ports[{}]", other.at), reason).right("write one protocol for both")
}
