//! The ties of hosts: who names them, who calls them, and who takes their calls.

use std::{
    cell::LazyCell,
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
            known::{Claim, Known, Seen, defined_by, may_have_http, narrow_wildcards, scope},
        },
        routes::{are_of_requests, holds_at},
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
        let host = self.known.full(subject.spec.word("host"), &subject.resource.namespace);
        self.give(Of::Rules(host.into(), &subject.resource.namespace));
        defined_by(self.known, subject).into_iter().for_each(|one| self.give(Of::Subset(one)));
    }

    /// The hosts of a ServiceEntry.
    pub(super) fn names(&mut self, subject: &Subject<'a>) {
        let own = &*subject.resource.namespace;
        self.give(Of::Some(Kind::ServiceEntry, own.to_owned()));
        let hosts = subject.get("hosts");
        let scope = scope(subject, hosts.len());
        let which = if may_have_http(subject) { &[false, true][..] } else { &[false] };
        for (host, _) in hosts.texts() {
            let host: Rc<str> = self.known.full(host, own).into();
            for &seen_by in &scope {
                self.give(Of::Entries { host: Rc::clone(&host), of: own, seen_by });
            }
            if self.known.has_in_force(&Claim::Outside { host: Rc::clone(&host) }, subject) {
                for is_http in which {
                    for end in ends(&host).chain([""]).filter(|end| self.ends.contains(*end)) {
                        self.give(Of::End(end.into(), *is_http));
                    }
                    self.give(Of::EntriesInForce(Rc::clone(&host), *is_http));
                }
            }
            self.give(Of::AnyEntries(host));
        }
    }

    /// The destinations of a VirtualService, each host once: their subsets, and the ServiceEntries that its namespace sees.
    /// A Service is found before these.
    pub(super) fn calls(&mut self, subject: &Subject<'a>) {
        let mut sent = BTreeMap::<String, (BTreeSet<&'a str>, BTreeSet<i64>)>::new();
        for (host, destination) in self.known.destinations(subject) {
            let (subsets, ports) = sent.entry(host).or_default();
            subsets.insert(destination.word("subset"));
            ports.extend(destination.get("port").integer_of("number"));
        }
        let (known, own) = (self.known, &*subject.resource.namespace);
        let callers = known.callers(subject);
        let mut needed = Vec::new();
        for (host, (subsets, ports)) in &sent {
            let subsets = subsets.iter().filter(|name| !name.is_empty());
            let rules = LazyCell::new(|| known.rules_of(host, &callers));
            for name in subsets {
                needed.extend(rules.needed(name, own).into_iter().map(Of::Subset));
                if !rules.defines(name) {
                    needed.extend(rules.hosts().map(|(host, of)| Of::Rules(host, of)));
                }
            }
            if self.known.service(host).is_none() && !self.known.is_elsewhere(host) {
                needed.extend(self.entries_of(host, ports, subject));
            }
        }
        needed.into_iter().for_each(|of| self.need(of));
    }

    /// The ServiceEntries of a host and its ports that a rule may miss: those of the namespace, and those of others where no
    /// second one has the same, and it is not in force.
    fn entries_of(&self, host: &str, ports: &BTreeSet<i64>, subject: &Subject<'a>) -> Vec<Of<'a>> {
        let own = &*subject.resource.namespace;
        // Of too many no rule says anything.
        let Some(seen) = self.known.entries(host, own) else { return Vec::new() };
        if seen.is_empty() && self.known.namespace_of(host).is_none() {
            return vec![Of::Some(Kind::ServiceEntry, own.to_owned())];
        }
        let (mut needed, others): (Vec<_>, Vec<_>) =
            seen.into_iter().partition(|seen| self.known.speaks_for(seen.of, host, own));
        if needed.is_empty() {
            let is_in_force = self.known.had_destination(subject, host);
            let is_missed = self.known.is_complete(host, own) && !is_in_force;
            needed = if is_missed { of_one(others) } else { Vec::new() };
        } else {
            let is_missed = |port: &&i64| {
                !needed.iter().any(|seen| seen.has(**port))
                    && !self.known.had_destination_at(subject, host, **port)
            };
            let with = |port: &i64| of_one(others.iter().filter(|seen| seen.has(*port)).copied().collect());
            let missed: Vec<_> = ports.iter().filter(is_missed).flat_map(with).collect();
            needed.extend(missed);
        }
        let tie = |seen: Seen<'_, 'a>| Of::Entries { host: seen.host.into(), of: seen.of, seen_by: seen.by };
        needed.into_iter().map(tie).collect()
    }

    /// The hosts of a VirtualService, which ServiceEntries of others may name.
    pub(super) fn takes(&mut self, subject: &Subject<'a>) {
        let own = &*subject.resource.namespace;
        let (may_take, namespaces) = (may_take(self.known, subject), scope(subject, 1));
        let (is_http, is_at_gateways) = (are_of_requests(subject), holds_at(subject).1);
        for (name, _) in subject.get("hosts").texts() {
            let is_service = meant(self.known, name).map(|(_, _, is_service)| is_service);
            if is_service == Some(false) && !is_at_gateways {
                self.need(Of::AnyEntries(name.into()));
            }
            let host: Rc<str> = self.known.full(name, own).into();
            if !may_take
                || self.known.namespace_of(&host).is_some()
                || has_routes(self.known, subject, &host, &namespaces)
            {
                continue;
            }
            // Ties to wildcards without ServiceEntries would be a hundred for each host.
            let hosts = [host.to_string()].into_iter().chain(narrow_wildcards(&host));
            for host in hosts.filter(|host| self.known.has_entry(host)) {
                self.need(Of::EntriesInForce(host.into(), is_http));
            }
            if let Some(end) = end(&host) {
                self.need(Of::End(end.into(), is_http));
            }
        }
    }
}

/// ServiceEntries of others, if they are of one namespace. Of two each may go.
fn of_one<'k, 'a>(others: Vec<Seen<'k, 'a>>) -> Vec<Seen<'k, 'a>> {
    let namespaces: BTreeSet<_> = others.iter().map(|seen| seen.of).collect();
    if namespaces.len() == 1 { others } else { Vec::new() }
}
