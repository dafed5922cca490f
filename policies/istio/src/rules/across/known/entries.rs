//! ServiceEntries, found by their hosts.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Known,
    scope::{ALL, scope},
};
use crate::{rules::subject::Subject, text::ends};

/// The most ServiceEntries of one host that are looked at. What ports a host of more of them has is not known.
pub(super) const MOST_ENTRIES: usize = 16;

/// The ServiceEntries of full hosts, by the namespaces that see them. Those that say the same are one.
#[derive(Debug, Default)]
pub(super) struct Entries<'a> {
    by_host: BTreeMap<String, BTreeMap<&'a str, BTreeSet<Entry<'a>>>>,
    /// Lists of ports by their numbers, each in its order.
    ports: Vec<Vec<i64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<'a> {
    namespace: &'a str,
    is_by_hand: bool,
    /// The number of their list: to compare long ones for each host would take long.
    ports: usize,
}

/// A ServiceEntry for a host, as a namespace sees it.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules::across) struct Seen<'k, 'a> {
    /// The host as it is written there, which may be a wildcard.
    pub(in crate::rules::across) host: &'k str,
    /// That namespace; `*` where all see it.
    pub(in crate::rules::across) by: &'a str,
    /// The namespace of the ServiceEntry.
    pub(in crate::rules::across) of: &'a str,
    pub(super) is_by_hand: bool,
    pub(super) ports: &'k [i64],
}

impl<'a> Known<'a> {
    /// True if there is a ServiceEntry for a full host.
    pub(in crate::rules::across) fn has_entry(&self, host: &str) -> bool {
        self.entries.by_host.contains_key(host)
    }

    /// The ServiceEntries for a full host that a namespace sees, also those with a wildcard; none if they are too many.
    pub(in crate::rules::across) fn entries<'k>(
        &'k self,
        host: &str,
        namespace: &'k str,
    ) -> Option<Vec<Seen<'k, 'a>>> {
        let seen: Vec<_> = self.entries.of(host, namespace).take(MOST_ENTRIES + 1).collect();
        (seen.len() <= MOST_ENTRIES).then_some(seen)
    }
}

impl Seen<'_, '_> {
    pub(in crate::rules::across) fn has(&self, port: i64) -> bool {
        self.ports.binary_search(&port).is_ok()
    }
}

impl<'a> Entries<'a> {
    pub(super) fn new<'s>(known: &Known, entries: impl Iterator<Item = &'s Subject<'a>>) -> Self
    where
        'a: 's,
    {
        let (mut found, mut numbers) = (Self::default(), BTreeMap::new());
        for subject in entries {
            let namespace = &*subject.resource.namespace;
            let ports = subject.each("ports").filter_map(|port| port.integer_of("number"));
            let next = numbers.len();
            let ports = *numbers.entry(in_order(ports.collect())).or_insert(next);
            let entry = Entry { namespace, is_by_hand: subject.resource.application().is_none(), ports };
            let hosts = subject.get("hosts");
            let scope = scope(subject, hosts.len());
            for (host, _) in hosts.texts() {
                let seen = found.by_host.entry(known.full(host, namespace)).or_default();
                for by in &scope {
                    seen.entry(*by).or_default().insert(entry);
                }
            }
        }
        let mut lists: Vec<_> = numbers.into_iter().collect();
        lists.sort_unstable_by_key(|(_, number)| *number);
        found.ports = lists.into_iter().map(|(ports, _)| ports).collect();
        found
    }

    /// Those for a full host that a namespace sees, also those with a wildcard.
    pub(super) fn of<'k>(
        &'k self,
        host: &str,
        namespace: &'k str,
    ) -> impl Iterator<Item = Seen<'k, 'a>> + use<'k, 'a> {
        let hosts: Vec<_> = [host.to_owned()].into_iter().chain(wildcards(host)).collect();
        let of_host = hosts.into_iter().filter_map(|host| self.by_host.get_key_value(&host));
        of_host.flat_map(move |(host, seen)| {
            let seen = [ALL, namespace].into_iter().filter_map(|name| seen.get_key_value(name));
            seen.flat_map(move |(by, entries)| {
                entries.iter().map(move |entry| Seen {
                    host,
                    by,
                    of: entry.namespace,
                    is_by_hand: entry.is_by_hand,
                    ports: self.ports.get(entry.ports).map(Vec::as_slice).unwrap_or_default(),
                })
            })
        })
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
