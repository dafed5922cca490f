//! Routes of the Gateway API: their Services, and VirtualServices for the same host.

use super::{
    Rule,
    known::{Claim, Host, Known},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("H34", h34), Rule::new("X101b", x101b), Rule::new("X101c", x101c)];

/// The full host of a reference to a Service; none of another kind.
fn host(known: &Known, subject: &Subject, reference: &Field) -> Option<String> {
    let kind = reference.get("kind").text().unwrap_or("Service");
    let namespace = reference.get("namespace").text().unwrap_or(&subject.resource.namespace);
    let name = reference.get("name").text()?;
    (kind == "Service").then(|| known.around.cluster_domain.host(name, namespace))
}

/// Istio takes the older of both.
fn h34(known: &Known, subject: &Subject, out: &mut Out) {
    if !Kind::GATEWAY_API.contains(&subject.kind()) {
        return;
    }
    for parent in subject.each("parentRefs").filter(|parent| parent.word("kind") == "Service") {
        let Some(host) = host(known, subject, &parent) else { continue };
        let claim = Claim::Route { host: host.as_str().into(), namespace: None };
        if let Some(other) = known.another(&claim, subject) {
            let name = format!("{}/{}", other.resource.namespace, other.resource.name);
            let reason =
                format!("`{host}` is routed by the VirtualService {name} too, and the older one wins");
            out.error(&parent, reason, "write all routes of a host for one API");
        }
    }
}

/// The destinations and mirrors that are Services, with their full hosts.
fn backends<'a>(known: &Known, subject: &Subject<'a>) -> Vec<(String, Field<'a>)> {
    if !Kind::GATEWAY_API.contains(&subject.kind()) {
        return Vec::new();
    }
    let of_rule = |rule: Field<'a>| {
        let mirrors = rule.get("filters").items().map(|filter| filter.get("requestMirror").get("backendRef"));
        rule.get("backendRefs").items().chain(mirrors.filter(Field::is_set)).collect::<Vec<_>>()
    };
    let all = subject.each("rules").flat_map(of_rule);
    all.filter_map(|backend| Some((host(known, subject, &backend)?, backend))).collect()
}

fn x101b(known: &Known, subject: &Subject, out: &mut Out) {
    for (host, backend) in backends(known, subject) {
        let is_known = known.namespace_of(&host).is_some_and(|owner| known.has_services(owner));
        if is_known && known.service(&host).is_none() {
            let reason = format!("`{host}` is no Service, so requests get 500");
            out.error(&backend.get("name"), reason, "write a Service that is there");
        }
    }
}

fn x101c(known: &Known, subject: &Subject, out: &mut Out) {
    for (host, backend) in backends(known, subject) {
        let at = backend.get("port");
        if let Host::There(ports) = known.look_up(&host, &subject.resource.namespace)
            && at.integer().is_some_and(|port| !ports.has(port))
        {
            out.error(&at, format!("is not a port of `{host}`"), format!("its ports are {ports}"));
        }
    }
}
