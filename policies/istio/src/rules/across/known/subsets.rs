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
    rules::{
        routes::{self, holds_at},
        subject::Subject,
    },
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

/// The subsets of the rules of a namespace for a host, by those that see them.
type Visible<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The namespaces of the rules that define a subset of a host, each with one that sees it.
type BySubset<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

/// The host and the namespace of rules, and their subsets by those that see them.
type OfNamespace<'k, 'a> = (&'k Rc<str>, &'a str, Vec<(&'a str, &'k BTreeSet<&'a str>)>);

/// DestinationRules by host and namespace.
#[derive(Debug, Default)]
pub(super) struct Rules<'a> {
    by_namespace: BTreeMap<Rc<str>, BTreeMap<&'a str, Visible<'a>>>,
    by_subset: BTreeMap<Rc<str>, BySubset<'a>>,
}

/// The subsets of full hosts, and the hosts that are split.
#[derive(Debug, Default)]
pub(super) struct Subsets<'a> {
    rules: Rules<'a>,
    /// The hosts that a VirtualService of the mesh sends to subsets of themselves.
    split: BTreeSet<String>,
}

/// The namespaces whose calls a VirtualService routes.
#[derive(Debug)]
pub(in crate::rules::across) struct Callers<'s> {
    /// That of the VirtualService.
    of: &'s str,
    /// Those that it is exported to by name; its own one where it is for all.
    namespaces: BTreeSet<&'s str>,
    /// True if they may be in any namespace: those of gateways are not known, nor are too many.
    are_anywhere: bool,
}

/// The rules that callers have for a host.
#[derive(Debug)]
pub(in crate::rules::across) struct Had<'k, 'a> {
    rules: Vec<OfNamespace<'k, 'a>>,
    /// The rules of any namespace that may count, by subset.
    elsewhere: Vec<(&'k Rc<str>, &'k BySubset<'a>)>,
}

/// The subsets that a DestinationRule defines, for each namespace that sees it.
pub(in crate::rules::across) fn defined_by<'a>(known: &Known, rule: &Subject<'a>) -> Vec<Definition<'a>> {
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

impl<'s> Callers<'s> {
    /// The namespace of the VirtualService, where its calls are among them.
    pub(in crate::rules::across) fn own(&self) -> Option<&'s str> {
        self.namespaces.get(self.of).copied()
    }

    /// True if one of them sees what this namespace sees.
    fn see(&self, by: &str) -> bool {
        by == ALL || self.namespaces.contains(by)
    }
}

impl<'a> Rules<'a> {
    pub(super) fn new<'s>(known: &Known, rules: impl Iterator<Item = &'s Subject<'a>>) -> Self
    where
        'a: 's,
    {
        let mut found = Self::default();
        for rule in rules {
            let (of, subsets) = (&*rule.resource.namespace, rule.get("subsets").len());
            let host: Rc<str> = known.full(rule.spec.word("host"), of).into();
            // One without subsets takes the place of one with a wildcard too.
            let seen = found.by_namespace.entry(host).or_default().entry(of).or_default();
            scope(rule, subsets).into_iter().for_each(|by| {
                seen.entry(by).or_default();
            });
            for Definition { host, name, of, seen_by } in defined_by(known, rule) {
                seen.entry(seen_by).or_default().insert(name);
                let subsets = found.by_subset.entry(host).or_default();
                subsets.entry(name).or_default().entry(of).or_insert(seen_by);
            }
        }
        found
    }

    /// The rules of a namespace for a full host that these see: those of the most specific host.
    fn of<'k>(
        &'k self,
        hosts: &[String],
        of: &str,
        sees: impl Fn(&str) -> bool,
    ) -> Option<OfNamespace<'k, 'a>> {
        hosts.iter().find_map(|host| {
            let (host, namespaces) = self.by_namespace.get_key_value(&**host)?;
            let (of, seen) = namespaces.get_key_value(of)?;
            let seen: Vec<_> =
                seen.iter().filter(|(by, _)| sees(by)).map(|(by, names)| (*by, names)).collect();
            (!seen.is_empty()).then_some((host, *of, seen))
        })
    }

    /// True if rules of a namespace define a subset for callers.
    pub(super) fn define(&self, host: &str, name: &str, of: &str, callers: &Callers<'_>) -> bool {
        let found = self.of(&with_wildcards(host), of, |by| callers.see(by));
        found.is_some_and(|(.., seen)| seen.iter().any(|(_, names)| names.contains(name)))
    }
}

/// A full host, and the wildcards that fit it, from the most specific one.
fn with_wildcards(host: &str) -> Vec<String> {
    [host.to_owned()].into_iter().chain(wildcards(host)).collect()
}

impl<'a> Had<'_, 'a> {
    pub(in crate::rules::across) fn defines(&self, name: &str) -> bool {
        self.rules.iter().any(|(.., seen)| seen.iter().any(|(_, names)| names.contains(name)))
            || self.elsewhere.iter().any(|(_, subsets)| subsets.contains_key(name))
    }

    /// The hosts and the namespaces of the rules.
    pub(in crate::rules::across) fn hosts(&self) -> impl Iterator<Item = (Rc<str>, &'a str)> {
        self.rules.iter().map(|(host, of, _)| (Rc::clone(host), *of))
    }

    /// The definitions of a subset of which one has to stay: those of the namespace itself, or those of the only other one
    /// that has some. Of two each may go.
    pub(in crate::rules::across) fn needed(&self, name: &str, own: &str) -> Vec<Definition<'a>> {
        let rules = self.rules.iter().flat_map(|(host, of, seen)| {
            seen.iter().filter_map(move |(seen_by, names)| {
                let name = *names.get(name)?;
                Some(Definition { host: Rc::clone(host), name, of, seen_by })
            })
        });
        let (owned, others): (Vec<_>, Vec<_>) = rules.partition(|one| one.of == own);
        if !owned.is_empty() {
            return owned;
        }
        let elsewhere = self.elsewhere.iter().filter_map(|(host, subsets)| {
            let (name, rules) = subsets.get_key_value(name)?;
            Some((host, *name, rules))
        });
        let elsewhere = elsewhere.flat_map(|(host, name, rules)| {
            rules.iter().map(move |(of, seen_by)| Definition { host: Rc::clone(host), name, of, seen_by })
        });
        let mut namespaces = BTreeSet::new();
        let of_first = others.into_iter().chain(elsewhere).take_while(|one| {
            namespaces.insert(one.of);
            namespaces.len() == 1
        });
        let of_first = of_first.collect();
        if namespaces.len() > 1 { Vec::new() } else { of_first }
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
        Self { rules: Rules::new(known, known.all(Kind::DestinationRule)), split }
    }
}

impl<'a> Known<'a> {
    /// The callers of a VirtualService.
    pub(in crate::rules::across) fn callers<'s>(&self, subject: &Subject<'s>) -> Callers<'s> {
        let of = &*subject.resource.namespace;
        let scope = scope(subject, routes::destinations(subject).len());
        let names = subject.get("exportTo");
        let is_for_all = scope.contains(ALL);
        let are_too_many = is_for_all && !names.is_empty() && !names.texts().any(|(name, _)| name == ALL);
        let namespaces = if is_for_all || scope.is_empty() { BTreeSet::from([of]) } else { scope };
        Callers { of, namespaces, are_anywhere: holds_at(subject).1 || are_too_many }
    }

    /// The rules that callers have for a full host, of each namespace the most specific ones: those of a namespace of
    /// callers that it sees itself, and those of the host's namespace and of the root namespace that one of them sees.
    pub(in crate::rules::across) fn rules_of<'k>(&'k self, host: &str, callers: &Callers<'_>) -> Had<'k, 'a> {
        let (own, rules) = (callers.of, &self.subsets.rules);
        let owner = self.namespace_of(host);
        let entries = if owner.is_none() { self.entries(host, own) } else { Some(Vec::new()) };
        // An entry of somebody else does not say where the host is.
        let mut entries_here = entries.iter().flatten().filter(|seen| self.is_own(seen.of, own));
        let is_elsewhere = callers.are_anywhere || owner.is_none() && entries_here.next().is_none();
        let mut speakers: BTreeSet<_> = [&*self.around.root_namespace].into_iter().chain(owner).collect();
        speakers.extend(entries.iter().flatten().map(|seen| seen.of));
        let hosts = with_wildcards(host);
        let at_home =
            callers.namespaces.iter().filter_map(|of| rules.of(&hosts, of, |by| [ALL, of].contains(&by)));
        let of_speakers = speakers.iter().filter_map(|of| rules.of(&hosts, of, |by| callers.see(by)));
        let elsewhere = hosts.iter().filter(|_| is_elsewhere);
        Had {
            rules: at_home.chain(of_speakers).collect(),
            elsewhere: elsewhere.filter_map(|host| rules.by_subset.get_key_value(&**host)).collect(),
        }
    }

    /// True if calls of a full host in the mesh are split by subset.
    pub(in crate::rules::across) fn is_split(&self, host: &str) -> bool {
        self.subsets.split.contains(host)
    }
}
