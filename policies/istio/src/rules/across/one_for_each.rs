//! Kinds of which a namespace, or a Pod, takes one only.

use super::{
    Rule,
    duplicates::name,
    known::{Known, is_wide, labels},
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

/// An error if another resource of this kind holds for all of the namespace too.
fn only_one(known: &Known, kind: Kind, subject: &Subject, out: &mut Out, effect: &str) {
    if subject.kind() != kind || !is_wide(subject) {
        return;
    }
    let claims = |before: &Subject, _: &Subject| is_wide(before);
    let other = known.another_for_all(subject);
    if let Some(other) = other.filter(|other| known.before.is_at_fault(subject, other, claims)) {
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

/// An error if another resource of this kind selects a Pod that this one selects too.
fn one_for_a_pod(known: &Known, kind: Kind, subject: &Subject, out: &mut Out, effect: &str) {
    let other = known.another_for_a_pod(subject).filter(|_| subject.kind() == kind);
    let claims = |before: &Subject, now: &Subject| labels(before) == labels(now);
    if let Some(other) = other.filter(|other| known.before.is_at_fault(subject, other, claims)) {
        let reason = format!("selects Pods that {} selects too; {effect}", name(other));
        out.error(&selector(subject).0, reason, "select each Pod once");
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
