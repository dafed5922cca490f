//! What others may refer to, as it is in force.

use std::collections::BTreeSet;

use super::{Known, entries::wildcards};
use crate::{resource::Kind, surroundings::Named};

/// The Gateways and the hosts of ServiceEntries that are in force. What a commit takes away of them is missed by what stays.
#[derive(Debug, Default)]
pub(super) struct Provided {
    gateways: BTreeSet<Named>,
    /// In full.
    hosts: BTreeSet<String>,
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
                    let hosts = subject.get("hosts").texts();
                    found.hosts.extend(hosts.map(|(host, _)| known.full(host, namespace)));
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

    /// True if a ServiceEntry in force is for a full host, maybe by a wildcard.
    pub(in crate::rules::across) fn had_entry(&self, host: &str) -> bool {
        let has = |host: &str| self.provided.hosts.contains(host);
        has(host) || wildcards(host).any(|wildcard| has(&wildcard))
    }
}
