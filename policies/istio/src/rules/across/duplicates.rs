//! Resources that have the same: a host, a port, a certificate, a subset.

use super::{
    Rule,
    known::{Claim, Known, certificates, plain, policy, routes, servers, subsets},
};
use crate::{
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("X109", x109),
    Rule::new("X138", x138),
    Rule::new("X145", x145),
    Rule::new("X177", x177),
    Rule::new("H15", h15),
];

pub(super) fn name(subject: &Subject) -> String {
    format!("{}/{}", subject.resource.namespace, subject.resource.name)
}

/// Istio warns also of one for some namespaces beside one for all; but there it always takes the former, so that a
/// consumer has its own routes beside those of the owner.
fn x109(known: &Known, subject: &Subject, out: &mut Out) {
    let mut told = String::new();
    for (claim, at) in routes(known, subject) {
        if let Some(other) = another(known, &claim, subject) {
            let path = at.path();
            if path == told {
                continue;
            }
            let host = at.text().unwrap_or_default();
            let reason = format!("`{host}` is routed by {} too, and one of them wins", name(other));
            out.error(
                &at,
                reason,
                "write all routes of a host in one VirtualService, or apart by `exportTo`",
            );
            told = path;
        }
    }
}

fn x177(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::ServiceEntry {
        return;
    }
    for (number, port) in subject.each("ports").enumerate() {
        if let Some((other, host)) = known.another_protocol(subject, number) {
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
    known.another(claim, subject).filter(|other| known.is_at_fault(claim, subject, other))
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
