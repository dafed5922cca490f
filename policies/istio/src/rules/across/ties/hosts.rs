//! The ties of hosts: who names them, who calls them, and who takes their calls.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{Of, Tying};
use crate::{
    resource::Kind,
    rules::{
        across::{
            destinations::meant,
            foreign::{has_routes, may_take},
            known::{ALL, Claim, Known, scope, wildcards},
        },
        subject::Subject,
    },
    text::ends,
};

/// The ends of the wildcards that VirtualServices route, from a dot on. Nobody needs those of other ends.
pub(super) fn routed_ends(known: &Known) -> BTreeSet<String> {
    let hosts = known.all(Kind::VirtualService).flat_map(|subject| subject.get("hosts").texts());
    hosts.filter_map(|(host, _)| end(&host.to_ascii_lowercase()).map(str::to_owned)).collect()
}

/// The end of a wildcard from its first dot on.
fn end(host: &str) -> Option<&str> {
    let end = host.strip_prefix('*')?;
    Some(end.find('.').and_then(|at| end.get(at..)).unwrap_or_default())
}

impl<'a> Tying<'_, 'a> {
    /// The subsets of a DestinationRule.
    pub(super) fn defines(&mut self, subject: &Subject<'a>) {
        let host: Rc<str> = self.known.full(subject.spec.word("host"), &subject.resource.namespace).into();
        let subsets = subject.get("subsets");
        let scope = scope(subject, subsets.len());
        for name in subsets.items().map(|subset| subset.word("name")) {
            for &seen_by in &scope {
                self.give(Of::Subset { host: Rc::clone(&host), name, seen_by });
            }
        }
    }

    /// The hosts of a ServiceEntry.
    pub(super) fn names(&mut self, subject: &Subject<'a>) {
        let own = &*subject.resource.namespace;
        self.give(Of::Some(Kind::ServiceEntry, own.to_owned()));
        let hosts = subject.get("hosts");
        let scope = scope(subject, hosts.len());
        for (host, _) in hosts.texts() {
            let host: Rc<str> = self.known.full(host, own).into();
            for &seen_by in &scope {
                self.give(Of::Entries { host: Rc::clone(&host), seen_by });
            }
            if self.known.has_in_force(&Claim::Outside { host: Rc::clone(&host) }, subject) {
                for end in ends(&host).chain([""]).filter(|end| self.ends.contains(*end)) {
                    self.give(Of::End(end.into()));
                }
                self.give(Of::EntriesInForce(Rc::clone(&host)));
            }
            self.give(Of::AnyEntries(host));
        }
    }

    /// The destinations of a VirtualService, each host once: their subsets, and the ServiceEntries that its namespace sees.
    /// A Service is found before these.
    pub(super) fn calls(&mut self, subject: &Subject<'a>) {
        let own = &*subject.resource.namespace;
        let mut subsets = BTreeMap::<String, BTreeSet<&'a str>>::new();
        for (host, destination) in self.known.destinations(subject) {
            subsets.entry(host).or_default().insert(destination.word("subset"));
        }
        for (host, subsets) in subsets {
            let full: Rc<str> = host.as_str().into();
            for (name, seen_by) in subsets.into_iter().flat_map(|name| [(name, ALL), (name, own)]) {
                if !name.is_empty() {
                    self.need(Of::Subset { host: Rc::clone(&full), name, seen_by });
                }
            }
            if self.known.service(&host).is_some() || self.known.is_elsewhere(&host) {
                continue;
            }
            let mut is_seen = false;
            for name in self.entries(&host) {
                for seen_by in [ALL, own].into_iter().filter(|by| self.known.is_seen(&name, by)) {
                    is_seen = true;
                    self.need(Of::Entries { host: name.as_str().into(), seen_by });
                }
            }
            if !is_seen && self.known.namespace_of(&host).is_none() {
                self.need(Of::Some(Kind::ServiceEntry, own.to_owned()));
            }
        }
    }

    /// The hosts of a VirtualService, which ServiceEntries of others may name.
    pub(super) fn takes(&mut self, subject: &Subject<'a>) {
        let own = &*subject.resource.namespace;
        let (may_take, namespaces) = (may_take(self.known, subject), scope(subject, 1));
        for (name, _) in subject.get("hosts").texts() {
            if meant(self.known, name).is_some_and(|(_, _, is_service)| !is_service) {
                self.need(Of::AnyEntries(name.into()));
            }
            let host: Rc<str> = self.known.full(name, own).into();
            if !may_take
                || self.known.namespace_of(&host).is_some()
                || has_routes(self.known, subject, &host, &namespaces)
            {
                continue;
            }
            for host in self.entries(&host) {
                self.need(Of::EntriesInForce(host.into()));
            }
            if let Some(end) = end(&host) {
                self.need(Of::End(end.into()));
            }
        }
    }

    /// A host and the wildcards that fit it, as far as there are ServiceEntries for them: others would be a hundred for each
    /// host.
    fn entries(&self, host: &str) -> Vec<String> {
        let hosts = [host.to_owned()].into_iter().chain(wildcards(host));
        hosts.filter(|host| self.known.has_entry(host)).collect()
    }
}
