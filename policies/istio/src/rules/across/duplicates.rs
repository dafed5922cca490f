//! Resources that have the same: a host, a port, a certificate, a subset.

use std::rc::Rc;

use super::{
    Rule,
    known::{Claim, Known, certificates, plain, policy, routes, servers, subsets, too_many_routes},
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

/// Istio warns also of one for some namespaces beside one for all. There it always takes the former: so a consumer has
/// its own routes beside those of the owner, but nobody has them for others.
fn x109(known: &Known, subject: &Subject, out: &mut Out) {
    if let Some(most) = too_many_routes(subject) {
        let (hosts, namespaces) = (subject.get("hosts").len(), subject.get("exportTo").len());
        let reason = format!(
            "has {namespaces} namespaces for {hosts} hosts, and routes of more than {most} such pairs are not compared with others"
        );
        out.error(&subject.get("exportTo"), reason, "write fewer hosts in one VirtualService, or `*`");
    }
    let (mut told, mut warned) = (String::new(), String::new());
    for (claim, at) in routes(known, subject) {
        let path = at.path();
        if path == told {
            continue;
        }
        let host = at.text().unwrap_or_default();
        let same = another(known, &claim, subject);
        if let Some(other) = same.or_else(|| another_for_others(known, &claim, subject)) {
            let name = name(other);
            if same.is_some() {
                let reason = format!("`{host}` is routed by {name} too, and one of them wins");
                let right = "write all routes of a host in one VirtualService, or apart by `exportTo`";
                out.error(&at, reason, right);
                told = path;
                continue;
            }
            let reason = format!(
                "`{host}` is routed by {name} too, and the one for some namespaces takes their calls from the one for all"
            );
            let right = "write all routes of a host in one VirtualService, or `exportTo: [\".\"]`";
            // Routes that move to another application of their namespace are not new.
            let is_by_hand = subject.resource.application().is_none();
            if is_by_hand || !known.has_in_namespace(&claim, subject) {
                out.error(&at, reason, right);
                told = path;
            } else if path != warned {
                out.warning(&at, reason, right);
                warned = path;
            }
        }
    }
}

/// Another VirtualService for other namespaces, beside which this one is at fault.
fn another_for_others<'k, 'a>(
    known: &'k Known<'a>,
    claim: &Claim<'a>,
    subject: &Subject<'a>,
) -> Option<&'k Subject<'a>> {
    let Claim::Route { host, .. } = claim else { return None };
    let theirs = Claim::Owned { host: Rc::clone(host) };
    let other = known.another_for_others(claim, subject);
    other.filter(|other| known.is_at_fault_beside((claim, subject), (&theirs, other)))
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
