//! Resources that have the same: a host, a port, a certificate, a subset.

use super::{
    Rule,
    known::{
        Claim, Known, all, certificates, plain, policy, port_of, scopes_meet, servers, share_scope, subsets,
    },
};
use crate::{
    resource::Kind,
    rules::{
        routes::holds_at,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("X109", x109),
    Rule::new("X138", x138),
    Rule::new("X145", x145),
    Rule::new("X177", x177),
    Rule::new("H15", h15),
];

/// True for the later of two, so that one of them is told.
fn is_after(subject: &Subject, other: &Subject) -> bool {
    subject.rank > other.rank
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
        let claims = |before: &Subject, _: &Subject| {
            let own = &before.resource.namespace;
            holds_at(before).0 && before.get("hosts").texts().any(|(host, _)| known.full(host, own) == full)
        };
        let other = others
            .find(|other| other.rank != subject.rank && holds_at(other).0 && share_scope(subject, other));
        if let Some(other) = other.filter(|other| known.before.is_at_fault(subject, other, claims)) {
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
    if subject.kind() != Kind::ServiceEntry {
        return;
    }
    for port in subject.each("ports") {
        let (number, protocol) = port_of(&port);
        let differing = subject.get("hosts").texts().find_map(|(host, _)| {
            let by_protocol = known.by_protocol(host, number)?;
            let others = by_protocol.iter().filter(|(other, _)| **other != protocol);
            let mut others =
                others.flat_map(|(_, numbers)| numbers).filter_map(|&other| known.subject(other));
            let other = others.find(|other| is_after(subject, other) && scopes_meet(subject, other))?;
            Some((host, other))
        });
        if let Some((host, other)) = differing {
            let reason = format!("differs from that of {} for `{host}`", name(other));
            out.warning(&port.get("protocol"), reason, "write the same protocol for one host and port");
        }
    }
}

/// Another resource of a claim, beside which this one is at fault.
fn another<'k, 'a>(
    known: &'k Known<'a>,
    claim: &Claim<'a>,
    subject: &Subject<'a>,
) -> Option<&'k Subject<'a>> {
    let claims = |before: &Subject<'a>, _: &Subject| all(known, before).any(|(made, _)| made == *claim);
    known.another(claim, subject).filter(|other| known.before.is_at_fault(subject, other, claims))
}

fn x138(known: &Known, subject: &Subject, out: &mut Out) {
    for (claim, at) in certificates(subject) {
        if let Some(other) = another(known, &claim, subject) {
            let reason =
                format!("is used by {} too: a browser reuses its connection there and gets 404", name(other));
            out.warning(&at, reason, "write one Gateway for a certificate");
        }
    }
}

fn x145(known: &Known, subject: &Subject, out: &mut Out) {
    for (claim, at) in servers(subject) {
        if let Some(other) = another(known, &claim, subject) {
            let host = at.text().map(plain).unwrap_or_default();
            let reason = format!("`{host}` is taken by {} at the same port", name(other));
            out.error(&at, reason, "write each host in one Gateway");
        }
    }
}

/// Istio merges rules for one host, but takes the first policy and the first subset of a name only.
fn h15(known: &Known, subject: &Subject, out: &mut Out) {
    for (claim, at) in policy(known, subject) {
        if let Some(other) = another(known, &claim, subject) {
            let reason = format!("is ignored beside that of {} for the same host", name(other));
            out.error(&at, reason, "write one policy for a host");
        }
    }
    for (claim, at) in subsets(known, subject) {
        if let Some(other) = another(known, &claim, subject) {
            let subset = at.text().unwrap_or_default();
            let reason = format!("is dropped, since {} has `{subset}` for the same host", name(other));
            out.error(&at, reason, "write each subset once");
        }
    }
}
