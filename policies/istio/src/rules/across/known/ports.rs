//! Hosts, and their ports.

use std::{collections::BTreeSet, fmt};

use super::Known;
use crate::resource::Kind;

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
#[derive(Default)]
pub(in crate::rules::across) struct Ports<'k> {
    /// As those say who speak for the host.
    own: Vec<&'k [i64]>,
    others: Vec<&'k [i64]>,
}

impl Known<'_> {
    /// A full host, as a namespace sees it.
    pub(in crate::rules::across) fn look_up<'k>(&'k self, host: &'k str, namespace: &'k str) -> Host<'k> {
        if let Some((_, ports)) = self.services.get(host) {
            return Host::There(Ports { own: vec![ports], others: Vec::new() });
        }
        if self.is_elsewhere(host) {
            return Host::Unknown;
        }
        let Some(entries) = self.entries(host, namespace) else { return Host::Unknown };
        if !entries.is_empty() {
            let mut ports = Ports::default();
            for seen in entries {
                let is_own = self.speaks_for(seen.of, host, namespace);
                let said = if is_own { &mut ports.own } else { &mut ports.others };
                said.push(seen.ports);
            }
            return Host::There(ports);
        }
        if self.is_complete(host, namespace) { Host::Missing } else { Host::Unknown }
    }

    /// True if a full host is missing for a namespace where nothing is known of it.
    pub(in crate::rules::across) fn is_complete(&self, host: &str, namespace: &str) -> bool {
        self.namespace_of(host).is_some() || self.in_namespace(Kind::ServiceEntry, namespace).next().is_some()
    }

    /// True for a full host of the cluster in a namespace whose Services the repository does not have. Istio finds the
    /// Service before any ServiceEntry whose wildcard fits it.
    pub(in crate::rules::across) fn is_elsewhere(&self, host: &str) -> bool {
        self.namespace_of(host).is_some_and(|owner| !self.has_services(owner))
    }
}

impl<'k> Ports<'k> {
    fn all(&self) -> impl Iterator<Item = &'k [i64]> {
        self.own.iter().chain(&self.others).copied()
    }

    pub(in crate::rules::across) fn has(&self, port: i64) -> bool {
        self.all().any(|ports| ports.binary_search(&port).is_ok())
    }

    /// True if somebody says them who speaks for the host.
    pub(in crate::rules::across) fn are_own(&self) -> bool {
        !self.own.is_empty()
    }

    pub(in crate::rules::across) fn are_several(&self) -> bool {
        are_several(self.all())
    }

    /// True if those are several that are said by who speaks for the host.
    pub(in crate::rules::across) fn own_are_several(&self) -> bool {
        are_several(self.own.iter().copied())
    }
}

pub(super) fn are_several<'k>(all: impl Iterator<Item = &'k [i64]>) -> bool {
    let all: Vec<_> = all.collect();
    all.windows(2).any(|pair| matches!(pair, [one, other] if one != other))
        || all.first().is_some_and(|ports| ports.len() > 1)
}

impl fmt::Display for Ports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let smallest: BTreeSet<_> = self.all().flat_map(|ports| ports.iter().take(NAMED + 1)).collect();
        let named: Vec<_> = smallest.iter().take(NAMED).map(ToString::to_string).collect();
        f.write_str(&named.join(", "))?;
        if smallest.len() > NAMED { f.write_str(" and others") } else { Ok(()) }
    }
}
