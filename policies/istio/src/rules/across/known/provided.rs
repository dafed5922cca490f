//! What others may refer to, as it is in force.

use std::collections::BTreeSet;

use super::{
    Known,
    entries::{Entries, MOST_ENTRIES, Seen},
    ports::are_several,
    readers::Readers,
    subsets::{Callers, Rules},
};
use crate::{resource::Kind, rules::subject::Subject, surroundings::Named};

/// What applications have in force that others refer to. What a commit takes away of it is missed by what stays.
#[derive(Debug, Default)]
pub(super) struct Provided<'a> {
    gateways: BTreeSet<Named>,
    entries: Entries<'a>,
    subsets: Rules<'a>,
    readers: Readers<'a>,
}

impl<'a> Provided<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let of = |kind: Kind| known.before.all().filter(move |subject| subject.kind() == kind);
        let named = |subject: &Subject<'a>| Named {
            namespace: subject.resource.namespace.clone(),
            name: subject.resource.name.clone(),
        };
        Self {
            gateways: of(Kind::Gateway).map(named).collect(),
            entries: Entries::new(known, of(Kind::ServiceEntry)),
            subsets: Rules::new(known, of(Kind::DestinationRule)),
            readers: Readers::new(known, of(Kind::RequestAuthentication)),
        }
    }
}

impl<'a> Known<'a> {
    pub(in crate::rules::across) fn had_gateway(&self, gateway: &Named) -> bool {
        self.provided.gateways.contains(gateway)
    }

    /// True if a ServiceEntry in force that a namespace sees is for a full host, maybe by a wildcard. No wildcard provides
    /// a Service. What others have for a host outside counts for nothing: whoever takes it away holds up nobody.
    pub(in crate::rules::across) fn had_entry(&self, host: &str, namespace: &str) -> bool {
        self.providing(&self.provided.entries, host, namespace).next().is_some()
    }

    /// True if one of these had a port.
    pub(in crate::rules::across) fn had_port(&self, host: &str, port: i64, namespace: &str) -> bool {
        self.providing(&self.provided.entries, host, namespace).any(|seen| seen.has(port))
    }

    /// True if those of applications give a host several ports, and did not.
    pub(in crate::rules::across) fn has_more_ports(&self, host: &str, namespace: &str) -> bool {
        let of_applications = |entries| {
            let seen = self.providing(entries, host, namespace).filter(|seen| !seen.is_by_hand);
            are_several(seen.take(MOST_ENTRIES).map(|seen| seen.ports))
        };
        of_applications(&self.entries) && !of_applications(&self.provided.entries)
    }

    /// The ServiceEntries of those who speak for a full host.
    fn providing<'k>(
        &'k self,
        entries: &'k Entries<'a>,
        host: &'k str,
        namespace: &'k str,
    ) -> impl Iterator<Item = Seen<'k, 'a>> {
        let seen = entries.of(host, namespace);
        let seen = seen.filter(move |seen| seen.host == host || self.namespace_of(host).is_none());
        seen.filter(move |seen| self.speaks_for(seen.of, host, namespace))
    }

    /// True if a DestinationRule in force defines a subset of a full host for callers. What others than the namespace of
    /// their routes, the host's and the root namespace have counts for nothing.
    pub(in crate::rules::across) fn had_subset(&self, host: &str, name: &str, callers: &Callers<'_>) -> bool {
        let root = Some(&*self.around.root_namespace);
        let mut owners = [callers.own(), self.namespace_of(host), root].into_iter().flatten();
        owners.any(|of| self.provided.subsets.define(host, name, of, callers))
    }

    /// True if a RequestAuthentication of a namespace is in force that may read tokens at one of these Gateways; at any
    /// without some.
    pub(in crate::rules::across) fn had_reader(&self, namespace: &str, gateways: &[&Subject<'a>]) -> bool {
        let readers = &self.provided.readers;
        match gateways {
            [] => readers.has(namespace),
            gateways => gateways.iter().any(|gateway| readers.are_in(namespace, gateway, self)),
        }
    }
}
