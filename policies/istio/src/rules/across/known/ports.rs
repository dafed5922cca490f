//! Hosts, and their ports.

use std::{collections::BTreeSet, fmt};

use super::Known;
use crate::resource::Kind;

/// The most ServiceEntries of one host that are looked at. What ports a host of more of them has is not known.
const ENTRIES: usize = 16;

/// The most ports that a message names.
const NAMED: usize = 10;

/// What is known of a host.
pub(in crate::rules::across) enum Host<'k> {
    /// There is a Service or a ServiceEntry.
    There(Ports<'k>),
    Missing,
    /// The repository cannot tell.
    Unknown,
}

/// The ports of a host: those of a Service, or of each ServiceEntry, in their order.
pub(in crate::rules::across) struct Ports<'k>(Vec<&'k [i64]>);

impl Known<'_> {
    /// A full host, as a namespace sees it.
    pub(in crate::rules::across) fn look_up<'k>(&'k self, host: &'k str, namespace: &'k str) -> Host<'k> {
        if let Some((_, ports)) = self.services.get(host) {
            return Host::There(Ports(vec![ports]));
        }
        if self.is_elsewhere(host) {
            return Host::Unknown;
        }
        let ports: Vec<_> = self.entries.ports_of(host, namespace).take(ENTRIES + 1).collect();
        if ports.len() > ENTRIES {
            return Host::Unknown;
        }
        if !ports.is_empty() {
            return Host::There(Ports(ports));
        }
        let is_complete = self.namespace_of(host).is_some()
            || self.in_namespace(Kind::ServiceEntry, namespace).next().is_some();
        if is_complete { Host::Missing } else { Host::Unknown }
    }

    /// True for a full host of the cluster in a namespace whose Services the repository does not have. Istio finds the
    /// Service before any ServiceEntry whose wildcard fits it.
    pub(in crate::rules::across) fn is_elsewhere(&self, host: &str) -> bool {
        self.namespace_of(host).is_some_and(|owner| !self.has_services(owner))
    }
}

impl Ports<'_> {
    pub(in crate::rules::across) fn has(&self, port: i64) -> bool {
        self.0.iter().any(|ports| ports.binary_search(&port).is_ok())
    }

    pub(in crate::rules::across) fn are_several(&self) -> bool {
        self.0.windows(2).any(|pair| matches!(pair, [one, other] if one != other))
            || self.0.first().is_some_and(|ports| ports.len() > 1)
    }
}

impl fmt::Display for Ports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let smallest: BTreeSet<_> = self.0.iter().flat_map(|ports| ports.iter().take(NAMED + 1)).collect();
        let named: Vec<_> = smallest.iter().take(NAMED).map(ToString::to_string).collect();
        f.write_str(&named.join(", "))?;
        if smallest.len() > NAMED { f.write_str(" and others") } else { Ok(()) }
    }
}
