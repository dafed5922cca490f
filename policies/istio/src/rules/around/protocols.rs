//! The protocol of a port of Pods, which each of their Services says.
//!
//! A sidecar takes it from the oldest Service. Istio warns of any two ports that lead to one port of the Pods, and of
//! TCP and UDP at one port (IST0137, IST0116). These do no harm while both are HTTP or neither is.

mod sidecars;

use std::collections::BTreeMap;

use self::sidecars::Sidecars;
use super::Found;
use crate::{
    finding::Finding,
    rules::protocol,
    surroundings::{Object, Service, ServicePort, TargetPort},
    values::Protocol,
};

pub(super) const ID: &str = "X116";

/// A port of a Service that says its protocol.
#[derive(Clone, Copy)]
struct Speaker<'a> {
    service: &'a Service,
    /// The numbers of the port in the Service, and of the Service among the objects.
    at: usize,
    number: usize,
    port: &'a ServicePort,
    protocol: Protocol,
}

/// The first ports that lead to some Pods: the one that is not of HTTP, and the one that is.
type Firsts<'a> = [Option<Speaker<'a>>; 2];

pub(super) fn x116(objects: &[&Object]) -> Found {
    let sidecars = Sidecars::of(objects);
    let mut by_target: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (number, object) in objects.iter().enumerate() {
        if let Object::Service(service) = object {
            for speaker in speakers(number, service) {
                let target = (&*service.named.namespace, &speaker.port.target);
                by_target.entry(target).or_default().push(speaker);
            }
        }
    }
    // The Pods behind Services, by namespace and selector.
    let mut behind = BTreeMap::new();
    let mut found = Found::new();
    for mut speakers in by_target.into_values() {
        if !speakers.iter().any(Speaker::is_http) || speakers.iter().all(Speaker::is_http) {
            continue;
        }
        speakers.sort_by_key(|speaker| (&speaker.service.named, speaker.at));
        let mut firsts = BTreeMap::<usize, Firsts>::new();
        for speaker in speakers {
            let Service { named, selector, .. } = speaker.service;
            let pods = behind
                .entry((&*named.namespace, selector))
                .or_insert_with(|| sidecars.behind(speaker.service));
            let mut other = None;
            for pods in pods.iter() {
                let [blind, http] = firsts.entry(*pods).or_default();
                let (own, opposite) = if speaker.is_http() { (http, blind) } else { (blind, http) };
                own.get_or_insert(speaker);
                other = other.or(*opposite);
            }
            found.extend(other.map(|first| (speaker.number, finding(speaker, first))));
        }
    }
    found
}

fn speakers(number: usize, service: &Service) -> impl Iterator<Item = Speaker<'_>> {
    let ports = service.ports.iter().enumerate();
    ports.filter_map(move |(at, port)| {
        let protocol = port.protocol.filter(|protocol| protocol.name() != "UDP")?;
        Some(Speaker { service, at, number, port, protocol })
    })
}

impl Speaker<'_> {
    fn is_http(&self) -> bool {
        protocol::Protocol::from(self.protocol).is_http()
    }
}

fn finding(other: Speaker<'_>, first: Speaker<'_>) -> Finding {
    let port = match &other.port.target {
        TargetPort::Number(number) => number.to_string(),
        TargetPort::Name(name) => format!("`{name}`"),
    };
    let taken = if other.number == first.number { "one of both" } else { "the older Service" };
    let reason = format!(
        "leads to port {port} of the same Pods as port {} of the Service `{}`, by {} instead of {}: sidecars take the protocol of {taken}",
        first.port.number,
        first.service.named.name,
        other.protocol.name(),
        first.protocol.name()
    );
    Finding::warning(ID, format!("spec.ports[{}]", other.at), reason).right("write one protocol for both")
}
