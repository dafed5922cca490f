//! Subsets: where they are defined, and the hosts that calls in the mesh are split by.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Known,
    scope::{ALL, scope},
};
use crate::{resource::Kind, rules::routes::holds_at};

/// The subsets of full hosts, and the hosts that are split.
#[derive(Debug, Default)]
pub(super) struct Subsets<'a> {
    /// The names in DestinationRules, each with a namespace that sees it.
    defined: BTreeMap<String, BTreeSet<(&'a str, &'a str)>>,
    /// The hosts that a VirtualService of the mesh sends to subsets of themselves.
    split: BTreeSet<String>,
}

impl<'a> Subsets<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for rule in known.all(Kind::DestinationRule) {
            let subsets = rule.get("subsets");
            let scope = scope(rule, subsets.len());
            let host = known.full(rule.spec.word("host"), &rule.resource.namespace);
            let defined = found.defined.entry(host).or_default();
            for name in subsets.items().map(|subset| subset.word("name")) {
                defined.extend(scope.iter().map(|namespace| (name, *namespace)));
            }
        }
        for service in known.all(Kind::VirtualService).filter(|service| holds_at(service).0) {
            let hosts = service.get("hosts").texts();
            let hosts: BTreeSet<_> =
                hosts.map(|(host, _)| known.full(host, &service.resource.namespace)).collect();
            let to_subsets = known.destinations(service).into_iter();
            let to_subsets = to_subsets.filter(|(_, destination)| !destination.word("subset").is_empty());
            found.split.extend(to_subsets.map(|(host, _)| host).filter(|host| hosts.contains(host)));
        }
        found
    }
}

impl Known<'_> {
    /// True if a DestinationRule that a namespace sees defines a subset of a full host.
    pub(in crate::rules::across) fn has_subset(&self, host: &str, name: &str, namespace: &str) -> bool {
        let defined = self.subsets.defined.get(host);
        defined.is_some_and(|names| [ALL, namespace].iter().any(|seen_by| names.contains(&(name, *seen_by))))
    }

    /// True if calls of a full host in the mesh are split by subset.
    pub(in crate::rules::across) fn is_split(&self, host: &str) -> bool {
        self.subsets.split.contains(host)
    }
}
