//! Subsets: where they are defined, and the hosts that calls in the mesh are split by.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    Known,
    entries::wildcards,
    scope::{ALL, scope},
};
use crate::{
    resource::Kind,
    rules::{routes::holds_at, subject::Subject},
};

/// A subset of a full host, which may be a wildcard, as a DestinationRule defines it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules::across) struct Definition<'a> {
    host: Rc<str>,
    name: &'a str,
    /// The namespace of the rule.
    of: &'a str,
    /// One that sees it; `*` where all do.
    seen_by: &'a str,
}

/// The namespaces of rules, each with those that see it.
type Rules<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The subsets that DestinationRules define, by host and name.
#[derive(Debug, Default)]
pub(super) struct Defined<'a>(BTreeMap<Rc<str>, BTreeMap<&'a str, Rules<'a>>>);

/// The subsets of full hosts, and the hosts that are split.
#[derive(Debug, Default)]
pub(super) struct Subsets<'a> {
    defined: Defined<'a>,
    /// The hosts that a VirtualService of the mesh sends to subsets of themselves.
    split: BTreeSet<String>,
}

/// The subsets of a DestinationRule, for each namespace that sees it.
pub(in crate::rules::across) fn definitions<'a>(known: &Known, rule: &Subject<'a>) -> Vec<Definition<'a>> {
    let (of, subsets) = (&*rule.resource.namespace, rule.get("subsets"));
    let host: Rc<str> = known.full(rule.spec.word("host"), of).into();
    let scope = scope(rule, subsets.len());
    let defined = subsets.items().flat_map(|subset| {
        let (host, name) = (&host, subset.word("name"));
        let one = |seen_by: &&'a str| Definition { host: Rc::clone(host), name, of, seen_by };
        scope.iter().map(one).collect::<Vec<_>>()
    });
    defined.collect()
}

impl<'a> Defined<'a> {
    pub(super) fn new<'s>(known: &Known, rules: impl Iterator<Item = &'s Subject<'a>>) -> Self
    where
        'a: 's,
    {
        let mut found = Self::default();
        for Definition { host, name, of, seen_by } in rules.flat_map(|rule| definitions(known, rule)) {
            let rules = found.0.entry(host).or_default().entry(name).or_default();
            rules.entry(of).or_default().insert(seen_by);
        }
        found
    }

    /// The rules that define a subset of a full host, also by a wildcard: their host, the subset, and their namespaces.
    fn rules<'k>(
        &'k self,
        host: &str,
        name: &'k str,
    ) -> impl Iterator<Item = (&'k Rc<str>, &'a str, &'k Rules<'a>)> + use<'k, 'a> {
        let hosts: Vec<_> = [host.to_owned()].into_iter().chain(wildcards(host)).collect();
        hosts.into_iter().filter_map(move |host| {
            let (host, names) = self.0.get_key_value(&*host)?;
            let (name, rules) = names.get_key_value(name)?;
            Some((host, *name, rules))
        })
    }

    /// True if rules of a namespace define a subset for another one.
    pub(super) fn are_seen(&self, host: &str, name: &str, of: &str, by: &str) -> bool {
        let mut seen = self.rules(host, name).filter_map(|(.., rules)| rules.get(of));
        seen.any(|seen| seen.contains(ALL) || seen.contains(by))
    }
}

impl<'a> Subsets<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut split = BTreeSet::new();
        for service in known.all(Kind::VirtualService).filter(|service| holds_at(service).0) {
            let hosts = service.get("hosts").texts();
            let hosts: BTreeSet<_> =
                hosts.map(|(host, _)| known.full(host, &service.resource.namespace)).collect();
            let to_subsets = known.destinations(service).into_iter();
            let to_subsets = to_subsets.filter(|(_, destination)| !destination.word("subset").is_empty());
            split.extend(to_subsets.map(|(host, _)| host).filter(|host| hosts.contains(host)));
        }
        Self { defined: Defined::new(known, known.all(Kind::DestinationRule)), split }
    }
}

impl<'a> Known<'a> {
    /// The definitions of a subset of a full host that the callers of a VirtualService have: those of their own namespace,
    /// of the host's, and of the root namespace.
    pub(in crate::rules::across) fn definitions(
        &self,
        host: &str,
        name: &str,
        subject: &Subject,
    ) -> Vec<Definition<'a>> {
        let (own, callers) = (&*subject.resource.namespace, scope(subject, 1));
        let root = &*self.around.root_namespace;
        let mut namespaces: BTreeSet<&str> = [own, root].into_iter().chain(self.owners(host, own)).collect();
        namespaces.extend(callers.iter().copied());
        let mut found = Vec::new();
        for (host, name, rules) in self.subsets.defined.rules(host, name) {
            let known = namespaces.iter().filter_map(|namespace| rules.get_key_value(*namespace));
            for (&of, seen_by) in known {
                let is_seen = |by: &&&str| [ALL, own].contains(*by) || **by == of && callers.contains(of);
                let seen = seen_by.iter().filter(is_seen);
                found.extend(seen.map(|by| Definition { host: Rc::clone(host), name, of, seen_by: by }));
            }
        }
        found
    }

    /// The definitions in the first two namespaces, where callers may be in any: those of gateways are not known, nor is that
    /// of each host.
    pub(in crate::rules::across) fn definitions_elsewhere(
        &self,
        host: &str,
        name: &str,
        subject: &Subject,
    ) -> Vec<Definition<'a>> {
        if !holds_at(subject).1 && !self.owners(host, &subject.resource.namespace).is_empty() {
            return Vec::new();
        }
        let defined = self.subsets.defined.rules(host, name).flat_map(|(host, name, rules)| {
            rules.iter().filter_map(move |(of, seen_by)| {
                let seen_by = seen_by.first()?;
                Some(Definition { host: Rc::clone(host), name, of, seen_by })
            })
        });
        defined.take(2).collect()
    }

    /// The namespaces of a full host that are known.
    fn owners<'h>(&'h self, host: &'h str, own: &'h str) -> BTreeSet<&'h str> {
        match self.namespace_of(host) {
            Some(owner) => BTreeSet::from([owner]),
            None => self.entries.of(host, own).map(|seen| seen.of).collect(),
        }
    }

    /// True if calls of a full host in the mesh are split by subset.
    pub(in crate::rules::across) fn is_split(&self, host: &str) -> bool {
        self.subsets.split.contains(host)
    }
}
