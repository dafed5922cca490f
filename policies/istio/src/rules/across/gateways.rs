//! Gateways, and the VirtualServices that name them.

use std::collections::BTreeSet;

use super::{
    Rule,
    known::{Known, labels},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        routes::are_of_requests,
        subject::{Out, Subject},
    },
    surroundings::Named,
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
    let names = |before: &Subject| named(before).into_iter().map(|(name, _)| name).collect();
    for (name, at) in named(subject).into_iter().filter(|(name, _)| !name.name.contains('.')) {
        let Named { namespace, name: short } = &name;
        let there = known.named(Kind::Gateway, namespace, short).is_some()
            || known.gateways.contains(&(namespace, short));
        let complete = known.in_namespace(Kind::Gateway, namespace).next().is_some()
            || has_some(&known.gateways, namespace);
        if complete && !there {
            let reason = format!("`{}` is no Gateway of {}", name.name, name.namespace);
            // The Gateways of the namespace may be in another repository, but for one that a file has since.
            let is_in_force =
                !known.had_gateway(&name) && known.before.refers(subject, &name, |own| &own.gateways, names);
            out.error_if_new(is_in_force, &at, reason, "write `namespace/name` of one that is there");
        }
    }
}

/// True if a namespace has some of these objects.
fn has_some(objects: &BTreeSet<(&str, &str)>, namespace: &str) -> bool {
    objects.range((namespace, "")..).next().is_some_and(|(other, _)| *other == namespace)
}

/// The names of the Secrets that a Gateway reads.
fn secrets<'a>(gateway: &Subject<'a>) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    let names = gateway.each("servers").map(|server| server.get("tls").get("credentialName"));
    let names = names.filter_map(|at| Some((at.text()?, at)));
    names.filter(|(name, _)| !name.is_empty() && !name.contains("://"))
}

fn x101g(known: &Known, subject: &Subject, out: &mut Out) {
    let Some(workload) = known.workload(subject) else { return };
    // The Gateway in force may have selected other Pods, which have the Secret.
    let places = |before: &Subject| {
        let labels = labels(before);
        let homes: BTreeSet<_> = known.pods.with(None, &labels).map(|pod| &*pod.namespace).collect();
        let at = |home: &str, name: &str| (home.to_owned(), name.to_owned());
        secrets(before).flat_map(|(name, _)| homes.iter().map(move |home| at(home, name))).collect()
    };
    let is_in_force = |home: &str, name: &str| {
        known.before.refers(subject, &(home.to_owned(), name.to_owned()), |own| &own.secrets, places)
    };
    for &home in &workload.homes {
        if !has_some(&known.secrets, home) {
            continue;
        }
        // The Pods of another team may have the labels and be no gateway.
        let is_sure = workload.sure.contains(home) || known.is_own(home, &subject.resource.namespace);
        for (name, at) in secrets(subject) {
            if !known.secrets.contains(&(home, name)) {
                let reason = format!("`{name}` is no Secret of {home}, where the gateway runs");
                let is_warning = !is_sure || is_in_force(home, name);
                out.error_if_new(is_warning, &at, reason, "write the Secret there");
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
    let Some(workload) = known.workload(subject) else { return };
    for at in subject.each("servers").map(|server| server.get("port").get("number")) {
        if let Some(number) = at.integer().filter(|number| workload.is_closed(*number)) {
            let reason =
                format!("is {number}, which no Service of the gateway has, so that nobody reaches it");
            out.warning(&at, reason, "add the port to the Service");
        }
    }
}
