//! Resources of which Istio takes one only.

use std::collections::BTreeSet;

use super::{
    Rule,
    known::{Known, scopes_meet},
};
use crate::{
    resource::Kind,
    rules::{
        every_kind::selectors::selector,
        protocol::Protocol,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("X109", x109),
    Rule::new("X110", x110),
    Rule::new("X111", x111),
    Rule::new("X159", x159),
    Rule::new("X160", x160),
    Rule::new("X177", x177),
    Rule::new("H15", h15),
    Rule::new("H16", h16),
    Rule::new("H17", h17),
];

/// True for the later of two, so that one of them is told.
fn is_after(subject: &Subject, other: &Subject) -> bool {
    subject.resource.order() > other.resource.order()
}

fn name(subject: &Subject) -> String {
    format!("{}/{}", subject.resource.namespace, subject.resource.name)
}

fn in_mesh(subject: &Subject) -> bool {
    let gateways = subject.get("gateways");
    gateways.is_empty() || gateways.texts().any(|(name, _)| name == "mesh")
}

fn x109(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::VirtualService || !in_mesh(subject) {
        return;
    }
    for (host, at) in subject.get("hosts").texts() {
        let full = known.full(host, &subject.resource.namespace);
        let mut others = known.of_host(Kind::VirtualService, &full);
        if let Some(other) =
            others.find(|other| is_after(subject, other) && in_mesh(other) && scopes_meet(subject, other))
        {
            let reason = format!("`{host}` is routed by {} too, and one of them wins", name(other));
            out.error(
                &at,
                reason,
                "write all routes of a host in one VirtualService, or apart by `exportTo`",
            );
        }
    }
}

/// An earlier resource of this kind without a selector in the same namespace.
fn namespace_wide<'k, 'a>(
    known: &'k Known<'a>,
    kind: Kind,
    subject: &'k Subject<'a>,
) -> Option<&'k Subject<'a>> {
    let is_wide = |subject: &Subject| {
        selector(subject).1.is_empty()
            && subject.get("targetRefs").is_empty()
            && subject.get("targetRef").is_empty()
    };
    let mut others = known.in_namespace(kind, &subject.resource.namespace);
    let applies = subject.kind() == kind && is_wide(subject);
    others.find(|other| applies && is_wide(other) && is_after(subject, other))
}

fn only_one(known: &Known, kind: Kind, subject: &Subject, out: &mut Out, effect: &str) {
    if let Some(other) = namespace_wide(known, kind, subject) {
        let reason = format!("holds for the whole namespace, as {} does; {effect}", name(other));
        out.error(&subject.spec, reason, "write one of them, or give it a selector");
    }
}

fn x111(known: &Known, subject: &Subject, out: &mut Out) {
    only_one(known, Kind::Sidecar, subject, out, "which of them is in force is not defined");
}

fn x160(known: &Known, subject: &Subject, out: &mut Out) {
    only_one(known, Kind::Telemetry, subject, out, "which of them is in force is not defined");
}

fn h16(known: &Known, subject: &Subject, out: &mut Out) {
    only_one(known, Kind::PeerAuthentication, subject, out, "the younger one is ignored");
}

/// An error if an earlier resource of this kind selects a Pod that this one selects too.
fn one_for_a_pod(known: &Known, kind: Kind, subject: &Subject, out: &mut Out, effect: &str) {
    if subject.kind() != kind || selector(subject).1.is_empty() {
        return;
    }
    let namespace = &subject.resource.namespace;
    let pairs = |subject: &Subject| -> Vec<(String, String)> {
        let labels = selector(subject).1;
        labels.entries().filter_map(|(key, at)| Some((key.to_owned(), at.text()?.to_owned()))).collect()
    };
    let own = pairs(subject);
    for other in known.in_namespace(kind, namespace).filter(|other| is_after(subject, other)) {
        let others = pairs(other);
        let all = || own.iter().chain(&others).map(|(key, value)| (&**key, &**value));
        let pods = known.around.pods.iter().filter(|pod| pod.namespace == *namespace);
        let same = own.iter().collect::<BTreeSet<_>>() == others.iter().collect();
        if !others.is_empty() && (same || pods.into_iter().any(|pod| pod.has(all()))) {
            let reason = format!("selects Pods that {} selects too; {effect}", name(other));
            out.error(&selector(subject).0, reason, "select each Pod once");
            return;
        }
    }
}

fn x110(known: &Known, subject: &Subject, out: &mut Out) {
    one_for_a_pod(known, Kind::Sidecar, subject, out, "which of them is in force is not defined");
}

fn x159(known: &Known, subject: &Subject, out: &mut Out) {
    one_for_a_pod(known, Kind::Telemetry, subject, out, "which of them is in force is not defined");
}

fn h17(known: &Known, subject: &Subject, out: &mut Out) {
    only_one(known, Kind::ProxyConfig, subject, out, "the oldest one wins");
    one_for_a_pod(known, Kind::ProxyConfig, subject, out, "the oldest one wins");
}

fn x177(known: &Known, subject: &Subject, out: &mut Out) {
    for (host, _) in subject.get("hosts").texts().filter(|_| subject.kind() == Kind::ServiceEntry) {
        let others: Vec<_> = known.of_host(Kind::ServiceEntry, host).collect();
        for other in others.iter().filter(|other| is_after(subject, other) && scopes_meet(subject, other)) {
            for port in subject.each("ports") {
                let number = port.integer_of("number");
                let mut same = other.each("ports").filter(|other| other.integer_of("number") == number);
                let differs = |other: &str| Protocol::of(other) != Protocol::of(port.word("protocol"));
                if let Some(found) = same.find(|other| differs(other.word("protocol"))) {
                    let reason =
                        format!("differs from {} of {} for `{host}`", found.word("protocol"), name(other));
                    out.warning(
                        &port.get("protocol"),
                        reason,
                        "write the same protocol for one host and port",
                    );
                }
            }
        }
    }
}

/// Istio merges rules for one host, but takes the first policy and the first subset of a name only.
fn h15(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::DestinationRule || !subject.get("workloadSelector").is_empty() {
        return;
    }
    let namespace = &subject.resource.namespace;
    let host = known.full(subject.spec.word("host"), namespace);
    let others = known.of_host(Kind::DestinationRule, &host).filter(|other| {
        other.resource.namespace == *namespace
            && is_after(subject, other)
            && other.get("workloadSelector").is_empty()
    });
    for other in others {
        if !subject.get("trafficPolicy").is_empty() && !other.get("trafficPolicy").is_empty() {
            let reason = format!("is ignored beside that of {} for the same host", name(other));
            out.error(&subject.get("trafficPolicy"), reason, "write one policy for a host");
        }
        let names: BTreeSet<_> = other.each("subsets").map(|subset| subset.word("name")).collect();
        for subset in subject.each("subsets").filter(|subset| names.contains(subset.word("name"))) {
            let reason =
                format!("is dropped, since {} has `{}` for the same host", name(other), subset.word("name"));
            out.error(&subset.get("name"), reason, "write each subset once");
        }
    }
}
