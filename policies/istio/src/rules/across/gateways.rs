//! Gateways, and the VirtualServices that name them.

use std::{cell::LazyCell, collections::BTreeSet};

use super::{Rule, known::Known};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        routes::are_of_requests,
        subject::{Out, Subject},
    },
    surroundings::{Named, PodTemplate, Service, ServicePort},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("X101a", x101a), Rule::new("X101g", x101g), Rule::new("X132", x132), Rule::new("X162", x162)];

/// The gateways that a VirtualService names, but for the mesh.
pub(super) fn named<'a>(subject: &Subject<'a>) -> Vec<(Named, Field<'a>)> {
    let own = &*subject.resource.namespace;
    let names = (subject.kind() == Kind::VirtualService).then(|| subject.get("gateways").texts());
    let names = names.into_iter().flatten().filter(|(name, _)| *name != "mesh");
    names
        .map(|(text, at)| {
            let (namespace, name) = text.split_once('/').unwrap_or((own, text));
            let namespace = if namespace == "." { own } else { namespace };
            (Named { namespace: namespace.to_owned(), name: name.to_owned() }, at)
        })
        .collect()
}

fn x101a(known: &Known, subject: &Subject, out: &mut Out) {
    let before = LazyCell::new(|| {
        let names = known.before.of(subject).flat_map(named).map(|(name, _)| name);
        names.collect::<BTreeSet<_>>()
    });
    for (name, at) in named(subject).into_iter().filter(|(name, _)| !name.name.contains('.')) {
        let Named { namespace, name: short } = &name;
        let there = known.named(Kind::Gateway, namespace, short).is_some()
            || known.gateways.contains(&(namespace, short));
        let complete = known.in_namespace(Kind::Gateway, namespace).next().is_some()
            || has_some(&known.gateways, namespace);
        if complete && !there {
            let reason = format!("`{}` is no Gateway of {}", name.name, name.namespace);
            // The Gateways of the namespace may be in another repository, but for one that a file has since.
            let is_in_force = !known.had_gateway(&name) && before.contains(&name);
            out.error_if_new(is_in_force, &at, reason, "write `namespace/name` of one that is there");
        }
    }
}

/// True if a namespace has some of these objects.
fn has_some(objects: &BTreeSet<(&str, &str)>, namespace: &str) -> bool {
    objects.range((namespace, "")..).next().is_some_and(|(other, _)| *other == namespace)
}

/// The Pods of a Gateway, as far as they are known.
pub(super) fn pods<'a>(known: &Known<'a>, gateway: &Subject) -> Vec<&'a PodTemplate> {
    let selector = gateway.get("selector");
    let labels: Vec<_> = selector.entries().filter_map(|(key, at)| Some((key, at.text()?))).collect();
    if labels.is_empty() { Vec::new() } else { known.pods.with(None, &labels).collect() }
}

/// The names of the Secrets that a Gateway reads.
fn secrets<'a>(gateway: &Subject<'a>) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    let names = gateway.each("servers").map(|server| server.get("tls").get("credentialName"));
    let names = names.filter_map(|at| Some((at.text()?, at)));
    names.filter(|(name, _)| !name.is_empty() && !name.contains("://"))
}

fn x101g(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::Gateway {
        return;
    }
    let before = LazyCell::new(|| {
        known.before.of(subject).flat_map(secrets).map(|(name, _)| name).collect::<BTreeSet<_>>()
    });
    let homes: BTreeSet<_> = pods(known, subject).iter().map(|pod| &*pod.namespace).collect();
    for home in homes {
        if !has_some(&known.secrets, home) {
            continue;
        }
        for (name, at) in secrets(subject) {
            if !known.secrets.contains(&(home, name)) {
                let reason = format!("`{name}` is no Secret of {home}, where the gateway runs");
                out.error_if_new(before.contains(name), &at, reason, "write the Secret there");
            }
        }
    }
}

/// Istio is content when one host is served (H19); here each of them counts.
fn x132(known: &Known, subject: &Subject, out: &mut Out) {
    let names = named(subject);
    let gateways: Vec<_> = names
        .iter()
        .filter_map(|(name, _)| known.named(Kind::Gateway, &name.namespace, &name.name))
        .collect();
    // One that is not here may serve the host.
    if gateways.is_empty() || gateways.len() < names.len() {
        return;
    }
    let namespace = &*subject.resource.namespace;
    let in_mesh = subject.get("gateways").texts().any(|(name, _)| name == "mesh");
    let is_of_requests = are_of_requests(subject);
    for (host, at) in subject.get("hosts").texts() {
        let full = known.full(host, namespace);
        let of_cluster = in_mesh && known.namespace_of(&full).is_some();
        let is_served = |reads| {
            let has = |host| gateways.iter().any(|gateway| known.serves(gateway, host, namespace, reads));
            [host, &*full].into_iter().any(has)
        };
        if of_cluster || is_served(is_of_requests) {
            continue;
        }
        if is_of_requests && is_served(false) {
            let reason = format!("`{host}` is served where TLS passes through, and no request is read there");
            out.warning(&at, reason, "write `tls` routes, or a server with a certificate");
        } else {
            let reason = format!("`{host}` is served by none of the gateways, and gets 404");
            out.warning(&at, reason, "write it into `servers` of one");
        }
    }
}

fn x162(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::Gateway {
        return;
    }
    let pods = pods(known, subject);
    let serves = |service: &&Service| {
        let labels = || service.selector.iter().map(|(key, value)| (&**key, &**value));
        !service.selector.is_empty()
            && pods.iter().any(|pod| pod.namespace == service.named.namespace && pod.has(labels()))
    };
    let services = known.around.services.iter().filter(|_| !pods.is_empty()).filter(serves);
    // A port of the Service stands for that of the Pods behind it.
    let ports: BTreeSet<_> =
        services.flat_map(|service| service.ports.iter().flat_map(ServicePort::numbers)).collect();
    for at in subject.each("servers").map(|server| server.get("port").get("number")) {
        let is_open = |number: i64| ports.iter().any(|port| i64::from(*port) == number);
        if let Some(number) = at.integer().filter(|&number| !ports.is_empty() && !is_open(number)) {
            let reason =
                format!("is {number}, which no Service of the gateway has, so that nobody reaches it");
            out.warning(&at, reason, "add the port to the Service");
        }
    }
}
