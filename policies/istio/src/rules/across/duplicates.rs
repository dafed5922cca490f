//! Resources for one host.

use std::collections::BTreeSet;

use super::{
    Rule,
    known::{Known, scopes_meet, share_scope},
    subsets::holds_at,
};
use crate::{
    resource::Kind,
    rules::{
        protocol::Protocol,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[Rule::new("X109", x109), Rule::new("X177", x177), Rule::new("H15", h15)];

/// True for the later of two, so that one of them is told.
pub(super) fn is_after(subject: &Subject, other: &Subject) -> bool {
    subject.resource.order() > other.resource.order()
}

pub(super) fn name(subject: &Subject) -> String {
    format!("{}/{}", subject.resource.namespace, subject.resource.name)
}

/// Istio warns also of one for some namespaces beside one for all; but there it always takes the former, so that a
/// consumer has its own routes beside those of the owner.
fn x109(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::VirtualService || !holds_at(subject).0 {
        return;
    }
    for (host, at) in subject.get("hosts").texts() {
        let full = known.full(host, &subject.resource.namespace);
        let mut others = known.of_host(Kind::VirtualService, &full);
        if let Some(other) =
            others.find(|other| is_after(subject, other) && holds_at(other).0 && share_scope(subject, other))
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
