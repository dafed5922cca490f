//! The protocols that ServiceEntries give to a host and port.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    Known,
    meetings::{Meetings, Names},
    scope::{COMBINATIONS, scope},
};
use crate::{
    resource::Kind,
    rules::{protocol::Protocol, subject::Subject},
};

/// For ports of ServiceEntries, by the number of the entry and that of the port, an earlier entry that gives another
/// protocol to the same host and port, and the host.
#[derive(Debug, Default)]
pub(super) struct Protocols(BTreeMap<(usize, usize), (usize, Rc<str>)>);

/// The entries of a host and port, by the namespaces that see them.
type Seen<'a> = Meetings<(Rc<str>, Option<i64>), &'a str, Protocol>;

impl<'a> Known<'a> {
    /// An earlier ServiceEntry that gives another protocol to a port of this one, and the host that both have.
    pub(in crate::rules::across) fn another_protocol(
        &self,
        subject: &Subject,
        port: usize,
    ) -> Option<(&Subject<'a>, &str)> {
        let (other, host) = self.protocols.0.get(&(subject.rank, port))?;
        Some((self.subject(*other)?, host))
    }
}

impl Protocols {
    /// An entry with too many combinations is passed over: this is for a warning alone.
    pub(super) fn new(known: &Known) -> Self {
        let (mut found, mut seen) = (Self::default(), Seen::default());
        for subject in known.all(Kind::ServiceEntry) {
            let (hosts, ports) = (subject.get("hosts").len(), subject.get("ports").len());
            if hosts.saturating_mul(ports) <= COMBINATIONS {
                found.add(known, subject, &mut seen);
            }
        }
        found
    }

    fn add<'a>(&mut self, known: &Known, subject: &Subject<'a>, seen: &mut Seen<'a>) {
        let (hosts, ports) = (subject.get("hosts"), subject.get("ports"));
        let scope = Names::of(scope(subject, hosts.len() * ports.len()));
        let hosts: Vec<Rc<str>> =
            hosts.texts().map(|(host, _)| known.full(host, &subject.resource.namespace).into()).collect();
        // An entry differs from others, not from itself.
        let mut own = Vec::new();
        for (at, port) in ports.items().enumerate() {
            let (number, protocol) = (port.integer_of("number"), Protocol::of(port.word("protocol")));
            for host in &hosts {
                let key = (Rc::clone(host), number);
                if let Some((other, _)) = seen.other(&key, &scope, protocol) {
                    self.0.entry((subject.rank, at)).or_insert_with(|| (other, Rc::clone(host)));
                }
                own.push((key, protocol));
            }
        }
        for (key, protocol) in own {
            seen.add(&key, &scope, protocol, subject.rank);
        }
    }
}
