//! ServiceEntries, found by their hosts.

use std::collections::BTreeMap;

use super::{
    Known,
    scope::{ALL, scope},
};
use crate::{resource::Kind, text::ends};

/// The ServiceEntries of full hosts, by the namespaces that see them, and the ports of each in their order.
#[derive(Debug, Default)]
pub(super) struct Entries<'a> {
    by_host: BTreeMap<String, BTreeMap<&'a str, Vec<usize>>>,
    ports: BTreeMap<usize, Vec<i64>>,
}

impl Known<'_> {
    /// True if there is a ServiceEntry for a full host.
    pub(in crate::rules::across) fn has_entry(&self, host: &str) -> bool {
        self.entries.by_host.contains_key(host)
    }

    /// True if there is one that is exported to a namespace by name; to all with `*`.
    pub(in crate::rules::across) fn is_seen(&self, host: &str, by: &str) -> bool {
        self.entries.by_host.get(host).is_some_and(|seen| seen.contains_key(by))
    }
}

impl<'a> Entries<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for subject in known.all(Kind::ServiceEntry) {
            let ports = subject.each("ports").filter_map(|port| port.integer_of("number"));
            found.ports.insert(subject.rank, in_order(ports.collect()));
            let hosts = subject.get("hosts");
            let scope = scope(subject, hosts.len());
            for (host, _) in hosts.texts() {
                let host = known.full(host, &subject.resource.namespace);
                let seen = found.by_host.entry(host).or_default();
                scope.iter().for_each(|namespace| seen.entry(*namespace).or_default().push(subject.rank));
            }
        }
        found
    }

    /// The ports of each ServiceEntry for a full host that a namespace sees, also of those with a wildcard.
    pub(super) fn ports_of<'k>(
        &'k self,
        host: &'k str,
        namespace: &'k str,
    ) -> impl Iterator<Item = &'k [i64]> {
        let of_host = [host.to_owned()].into_iter().chain(wildcards(host));
        let seen = of_host.filter_map(|host| self.by_host.get(&host));
        let numbers =
            seen.flat_map(move |seen| [ALL, namespace].into_iter().filter_map(|name| seen.get(name)));
        numbers.flatten().filter_map(|number| self.ports.get(number)).map(Vec::as_slice)
    }
}

/// The wildcards that fit a host.
pub(in crate::rules::across) fn wildcards(host: &str) -> impl Iterator<Item = String> {
    ends(host).map(|end| format!("*{end}"))
}

/// Ports in their order, each once.
pub(super) fn in_order(mut ports: Vec<i64>) -> Vec<i64> {
    ports.sort_unstable();
    ports.dedup();
    ports
}
