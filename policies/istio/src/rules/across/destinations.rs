//! Hosts and their ports.

use super::{
    Rule,
    known::{Host, Known, is_for_own_namespace, scope},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        routes::{self, holds_at},
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("X101b", x101b),
    Rule::new("X101c", x101c),
    Rule::new("X112", x112),
    Rule::new("X174", x174),
    Rule::new("H30", h30),
    Rule::new("H33", routed_outside),
    Rule::new("H33", named_outside),
];

fn x101b(known: &Known, subject: &Subject, out: &mut Out) {
    let namespace = &subject.resource.namespace;
    for (host, destination) in known.destinations(subject) {
        if matches!(known.look_up(&host, namespace), Host::Missing) {
            let reason = format!(
                "`{host}` is no Service and no ServiceEntry that {namespace} sees, so requests get 503"
            );
            // It may be in another repository, as all of its namespace was until a file has had some.
            let is_in_force = known.had_destination(subject, &host) && !known.had_entry(&host, namespace);
            let right = "write the host of a service that is there";
            out.error_if_new(is_in_force, &destination.get("host"), reason, right);
        }
    }
}

fn x101c(known: &Known, subject: &Subject, out: &mut Out) {
    let namespace = &subject.resource.namespace;
    for (host, destination) in known.destinations(subject) {
        let at = destination.get("port").get("number");
        let (Host::There(ports), Some(number)) = (known.look_up(&host, namespace), at.integer()) else {
            continue;
        };
        if ports.has(number) {
            continue;
        }
        let is_in_force =
            known.had_destination_at(subject, &host, number) && !known.had_port(&host, number, namespace);
        let is_warning = !ports.are_own() || is_in_force;
        let right = format!("its ports are {ports}");
        out.error_if_new(is_warning, &at, format!("is not a port of `{host}`"), right);
    }
}

/// True if a route is for requests at gateways.
fn is_at_gateways(subject: &Subject, route: &Field) -> bool {
    let of_all = holds_at(subject).1;
    let matches = route.get("match");
    let is_there = |wanted: Field| match wanted.get("gateways") {
        gateways if gateways.is_empty() => of_all,
        gateways => gateways.texts().any(|(name, _)| name != "mesh"),
    };
    if matches.is_empty() { of_all } else { matches.items().any(is_there) }
}

/// The destinations of requests at gateways.
fn at_gateways<'a>(known: &Known, subject: &Subject<'a>) -> Vec<(String, Field<'a>)> {
    let at_gateways = routes::all(subject).filter(|route| is_at_gateways(subject, route));
    let destinations = at_gateways.flat_map(|route| routes::destinations_of(&route)).collect();
    known.with_hosts(destinations, subject)
}

/// In the mesh a call keeps its port. A gateway looks for its own at the service.
fn x112(known: &Known, subject: &Subject, out: &mut Out) {
    let namespace = &subject.resource.namespace;
    let without_port = |before: &Subject| {
        let to = at_gateways(known, before).into_iter().filter(|(_, destination)| !destination.has("port"));
        to.map(|(host, _)| host).collect()
    };
    for (host, destination) in at_gateways(known, subject) {
        if let Host::There(ports) = known.look_up(&host, namespace)
            && ports.are_several()
            && !destination.has("port")
        {
            let was_so = known.before.refers(subject, &host, |own| &own.without_port, without_port);
            let is_in_force = was_so && !known.has_more_ports(&host, namespace);
            let is_warning = !ports.own_are_several() || is_in_force;
            let reason =
                format!("is missing, and `{host}` has several ports, of which a gateway cannot choose");
            let right = format!("write `port`, one of {ports}");
            out.error_if_new(is_warning, &destination.get("port"), reason, right);
        }
    }
}

fn x174(known: &Known, subject: &Subject, out: &mut Out) {
    let (host, namespace) = (subject.get("host"), &subject.resource.namespace);
    let Some(name) =
        host.text().filter(|name| subject.kind() == Kind::DestinationRule && !name.contains('*'))
    else {
        return;
    };
    let full = known.full(name, namespace);
    if matches!(known.look_up(&full, namespace), Host::Missing) {
        out.warning(
            &host,
            format!("`{full}` is no Service and no ServiceEntry, so the rule has no effect"),
            "write a host that is there",
        );
    }
}

fn h30(known: &Known, subject: &Subject, out: &mut Out) {
    for (name, at) in subject.get("hosts").texts().filter(|_| subject.kind() == Kind::ServiceEntry) {
        let full = known.full(name, &subject.resource.namespace);
        if name.contains('.') && known.service(&full).is_some() {
            let reason = format!("`{full}` is a Service too, and the older of both wins");
            out.warning(&at, reason, "write another host, or remove one of them");
        }
    }
}

/// The service that a name of two labels may be: its full host, its namespace, and whether the Service is known. For
/// Istio it is a name outside, such as `example.com`. So may it be for its author: a namespace can have the name of a
/// domain, such as `shop` and `app`.
pub(super) fn meant<'h>(known: &Known, name: &'h str) -> Option<(String, &'h str, bool)> {
    let (service, owner) = name.split_once('.')?;
    let full = known.around.cluster_domain.host(service, owner);
    let is_service = known.service(&full).is_some();
    (is_service || known.is_namespace(owner)).then_some((full, owner, is_service))
}

fn routed_outside(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::VirtualService {
        return;
    }
    let (at_gateways, hosts) = (holds_at(subject).1, subject.get("hosts"));
    let seen_by = scope(subject, hosts.len());
    for (name, at) in hosts.texts() {
        let Some((full, owner, is_service)) = meant(known, name) else { continue };
        if !is_service && known.has_entry(name) {
            continue;
        }
        let right = format!("write `{full}` for the service");
        if is_service {
            let reason = format!("is a name outside for Istio, and a Service of {owner} has it");
            out.error_if_new(known.before.has_host(subject, name, &seen_by), &at, reason, right);
        } else if at_gateways {
            let reason =
                format!("is a name outside for Istio; `{owner}` is also a namespace of the repository");
            out.warning(&at, reason, right);
        } else {
            let reason =
                format!("is a name outside for Istio, and `{owner}` is a namespace of the repository");
            out.error_if_new(known.before.has_host(subject, name, &seen_by), &at, reason, right);
        }
    }
}

/// Of a Service that is known `H27` tells.
fn named_outside(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::ServiceEntry || is_for_own_namespace(subject) {
        return;
    }
    for (name, at) in subject.get("hosts").texts() {
        let Some((_, owner, false)) = meant(known, name) else { continue };
        if owner != subject.resource.namespace {
            let reason = format!(
                "is a name outside for Istio; `{owner}` is also a namespace of the repository, whose services callers name so"
            );
            out.warning(&at, reason, "write `exportTo: [\".\"]`, so that it holds for calls from here");
        }
    }
}
