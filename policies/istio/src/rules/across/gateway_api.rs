//! Routes of the Gateway API: their Services, and VirtualServices for the same host.

use std::rc::Rc;

use super::{
    Rule,
    duplicates::name,
    known::{Claim, Host, Known, owned, produced, service},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("H34", h34), Rule::new("H36", h36), Rule::new("X101b", x101b), Rule::new("X101c", x101c)];

/// Istio takes the older of both.
fn h34(known: &Known, subject: &Subject, out: &mut Out) {
    let routes = produced(known, subject).into_iter();
    let routes = routes.map(|(host, at)| (at, Claim::Parent { host: host.clone() }, Claim::Owned { host }));
    let services = owned(known, subject).into_iter().filter_map(|(claim, at)| {
        let Claim::Owned { host } = &claim else { return None };
        let theirs = Claim::Parent { host: host.clone() };
        Some((at, claim, theirs))
    });
    for (at, own, theirs) in routes.chain(services) {
        let other = known.another(&theirs, subject);
        if let Some(other) = other.filter(|other| known.is_at_fault_beside((&own, subject), (&theirs, other)))
        {
            let (kind, name) = (other.kind().name(), name(other));
            let reason = format!("is for a host that the {kind} {name} routes too, and the older one wins");
            out.error(&at, reason, "write all routes of a host for one API");
        }
    }
}

/// Routes for one Service add up. Of two with the same match Istio takes the older one.
fn h36(known: &Known, subject: &Subject, out: &mut Out) {
    for (matched, at, other) in known.contradictions(subject) {
        if !known.is_at_fault(&Claim::Matched(matched), subject, other) {
            continue;
        }
        let reason = format!(
            "is matched by the {} {} too, which does something else, and the older one wins",
            other.kind().name(),
            name(other)
        );
        out.error(&at, reason, "write each match in one route");
    }
}

/// The destinations and mirrors that are Services, with their full hosts.
fn backends<'a>(known: &Known, subject: &Subject<'a>) -> Vec<(Rc<str>, Field<'a>)> {
    if !Kind::GATEWAY_API.contains(&subject.kind()) {
        return Vec::new();
    }
    let of_rule = |rule: Field<'a>| {
        let mirrors = rule.get("filters").items().map(|filter| filter.get("requestMirror").get("backendRef"));
        rule.get("backendRefs").items().chain(mirrors.filter(Field::is_set)).collect::<Vec<_>>()
    };
    let all = subject.each("rules").flat_map(of_rule);
    all.filter_map(|backend| Some((service(known, subject, &backend)?, backend))).collect()
}

fn x101b(known: &Known, subject: &Subject, out: &mut Out) {
    let hosts = |before: &Subject| backends(known, before).into_iter().map(|(host, _)| host).collect();
    for (host, backend) in backends(known, subject) {
        let is_known = known.namespace_of(&host).is_some_and(|owner| known.has_services(owner));
        if is_known && known.service(&host).is_none() {
            let reason = format!("`{host}` is no Service, so requests get 500");
            let right = "write a Service that is there";
            let is_in_force = known.before.refers(subject, &host, |own| &own.backends, hosts);
            out.error_if_new(is_in_force, &backend.get("name"), reason, right);
        }
    }
}

fn x101c(known: &Known, subject: &Subject, out: &mut Out) {
    let of = |before: &Subject| {
        let to = backends(known, before).into_iter();
        to.filter_map(|(host, to)| Some((host, to.integer_of("port")?))).collect()
    };
    for (host, backend) in backends(known, subject) {
        let at = backend.get("port");
        if known.service(&host).is_some()
            && let Host::There(ports) = known.look_up(&host, &subject.resource.namespace)
            && let Some(number) = at.integer().filter(|port| !ports.has(*port))
        {
            let wanted = (Rc::clone(&host), number);
            let is_in_force = known.before.refers(subject, &wanted, |own| &own.backend_ports, of);
            let (reason, right) = (format!("is not a port of `{host}`"), format!("its ports are {ports}"));
            out.error_if_new(is_in_force, &at, reason, right);
        }
    }
}
