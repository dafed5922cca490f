//! The protocols that ServiceEntries give to a host and port.

use std::collections::BTreeMap;

use super::Known;
use crate::{field::Field, resource::Kind, rules::protocol::Protocol};

/// The ServiceEntries of a host and port, by the protocol that they give it.
#[derive(Debug, Default)]
pub(super) struct Protocols<'a>(BTreeMap<(&'a str, Option<i64>), ByProtocol>);

pub(in crate::rules::across) type ByProtocol = BTreeMap<Protocol, Vec<usize>>;

impl<'a> Known<'a> {
    /// The ServiceEntries of a host and port, by the protocol that they give it.
    pub(in crate::rules::across) fn by_protocol<'k>(
        &'k self,
        host: &'k str,
        port: Option<i64>,
    ) -> Option<&'k ByProtocol> {
        self.protocols.0.get(&(host, port))
    }
}

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

pub(in crate::rules::across) fn port_of(port: &Field) -> (Option<i64>, Protocol) {
    (port.integer_of("number"), Protocol::of(port.word("protocol")))
}
