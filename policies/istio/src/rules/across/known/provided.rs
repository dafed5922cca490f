//! What others may refer to, as it is in force.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Known,
    entries::wildcards,
    scope::{ALL, scope},
};
use crate::{resource::Kind, surroundings::Named};

/// The Gateways and the hosts of ServiceEntries that are in force. What a commit takes away of them is missed by what stays.
#[derive(Debug, Default)]
pub(super) struct Provided {
    gateways: BTreeSet<Named>,
    /// In full, with the namespaces that see them; `*` is all.
    hosts: BTreeMap<String, BTreeSet<String>>,
}

impl Provided {
    pub(super) fn new(known: &Known<'_>) -> Self {
        let mut found = Self::default();
        for subject in known.before.all() {
            let (namespace, name) = (&subject.resource.namespace, &subject.resource.name);
            match subject.kind() {
                Kind::Gateway => {
                    found.gateways.insert(Named { namespace: namespace.clone(), name: name.clone() });
                }
                Kind::ServiceEntry => {
                    let hosts = subject.get("hosts");
                    let namespaces = scope(subject, hosts.texts().count());
                    for (host, _) in hosts.texts() {
                        let seen = found.hosts.entry(known.full(host, namespace)).or_default();
                        seen.extend(namespaces.iter().copied().map(str::to_owned));
                    }
                }
                _ => {}
            }
        }
        found
    }
}

impl Known<'_> {
    pub(in crate::rules::across) fn had_gateway(&self, gateway: &Named) -> bool {
        self.provided.gateways.contains(gateway)
    }

    /// True if a ServiceEntry in force that a namespace sees is for a full host, maybe by a wildcard. No wildcard provides
    /// a Service.
    pub(in crate::rules::across) fn had_entry(&self, host: &str, namespace: &str) -> bool {
        let is_seen = |seen: &BTreeSet<String>| seen.contains(ALL) || seen.contains(namespace);
        let has = |host: &str| self.provided.hosts.get(host).is_some_and(is_seen);
        has(host) || self.namespace_of(host).is_none() && wildcards(host).any(|wildcard| has(&wildcard))
    }
}
