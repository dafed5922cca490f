//! Resources for one host.

use std::collections::BTreeMap;

use super::{
    Rule,
    known::{Known, scopes_meet, share_scope},
};
use crate::{
    field::Field,
    resource::Kind,
    rules::{
        protocol::Protocol,
        routes::holds_at,
        subject::{Out, Subject},
    },
};

pub(super) const RULES: &[Rule] = &[Rule::new("X109", x109), Rule::new("X177", x177)];

/// True for the later of two, so that one of them is told.
pub(super) fn is_after(subject: &Subject, other: &Subject) -> bool {
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

/// The ServiceEntries of a host and port, by the protocol that they give it.
#[derive(Debug, Default)]
pub(super) struct Protocols<'a>(BTreeMap<(&'a str, Option<i64>), ByProtocol>);

type ByProtocol = BTreeMap<Protocol, Vec<usize>>;

impl<'a> Protocols<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        let entries = known.subjects().enumerate();
        for (number, subject) in entries.filter(|(_, subject)| subject.kind() == Kind::ServiceEntry) {
            let ports: Vec<_> = subject.each("ports").map(|port| port_of(&port)).collect();
            for ((host, _), (port, protocol)) in subject
                .get("hosts")
                .texts()
                .flat_map(|host| ports.iter().map(move |port| (host.clone(), *port)))
            {
                found.0.entry((host, port)).or_default().entry(protocol).or_default().push(number);
            }
        }
        found
    }
}

fn port_of(port: &Field) -> (Option<i64>, Protocol) {
    (port.integer_of("number"), Protocol::of(port.word("protocol")))
}

fn x177(known: &Known, subject: &Subject, out: &mut Out) {
    if subject.kind() != Kind::ServiceEntry {
        return;
    }
    for port in subject.each("ports") {
        let (number, protocol) = port_of(&port);
        let differing = subject.get("hosts").texts().find_map(|(host, _)| {
            let by_protocol = known.protocols.0.get(&(host, number))?;
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
