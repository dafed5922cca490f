//! Kinds of which a namespace, or a Pod, takes one only.

use std::collections::BTreeSet;

use super::{
    Rule,
    duplicates::{is_after, name},
    known::Known,
};
use crate::{
    resource::Kind,
    rules::{
        every_kind::selectors::selector,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("X110", x110),
    Rule::new("X111", x111),
    Rule::new("X159", x159),
    Rule::new("X160", x160),
    Rule::new("H16", h16),
    Rule::new("H17", h17),
];

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
        let same = own.iter().collect::<BTreeSet<_>>() == others.iter().collect();
        if !others.is_empty() && (same || known.pods(Some(namespace)).any(|pod| pod.has(all()))) {
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
