//! Hosts that belong to a namespace: its services, and what its ServiceEntries name.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    Known,
    claims::{Claim, outside},
    pair::Pair,
    scope::is_for_own_namespace,
};
use crate::rules::subject::Subject;

/// The hosts of ServiceEntries.
#[derive(Debug, Default)]
pub(super) struct Outside<'a> {
    /// The first entries of each host, of two namespaces. The host is written from its end, so that those of a wildcard
    /// stand together.
    by_end: BTreeMap<String, (Rc<str>, Pair<&'a str>)>,
    /// The first entry of each host and namespace that others see.
    wide: BTreeMap<(Rc<str>, &'a str), usize>,
}

/// The owner of a host.
pub(in crate::rules::across) enum HostOwner<'k, 'a> {
    /// The namespace of a service.
    Namespace(&'k str),
    /// Every namespace with services that a wildcard fits.
    AnyNamespace,
    /// A ServiceEntry.
    Entry(&'k Subject<'a>),
}

impl<'a> Outside<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for subject in known.subjects() {
            let namespace = &*subject.resource.namespace;
            for (claim, _) in outside(known, subject) {
                let Claim::Outside { host } = claim else { continue };
                let end = host.chars().rev().collect();
                let (_, pair) =
                    found.by_end.entry(end).or_insert_with(|| (Rc::clone(&host), Pair::default()));
                pair.add(namespace, subject.rank);
                if !is_for_own_namespace(subject) {
                    found.wide.entry((host, namespace)).or_insert(subject.rank);
                }
            }
        }
        found
    }
}

impl<'a> Known<'a> {
    /// The owner of a full host, or of hosts that a wildcard fits, if it is not this namespace.
    pub(in crate::rules::across) fn foreign_owner<'k>(
        &'k self,
        host: &'k str,
        own: &str,
    ) -> Option<HostOwner<'k, 'a>> {
        let of_mesh = match host.strip_prefix('*') {
            Some(end) => self.of_wildcard(end),
            None => self.namespace_of(host).map(HostOwner::Namespace),
        };
        match of_mesh {
            Some(HostOwner::Namespace(namespace)) if namespace == own => None,
            Some(owner) => Some(owner),
            None => self.foreign_entry(host, own).map(HostOwner::Entry),
        }
    }

    /// The owners of the services that end so.
    fn of_wildcard<'h>(&self, end: &'h str) -> Option<HostOwner<'h, 'a>> {
        let of_all = self.around.cluster_domain.host("", "");
        // `SERVICE.NAMESPACE.svc.DOMAIN` without its first two names.
        let mesh = of_all.strip_prefix('.').unwrap_or(&of_all);
        if mesh.ends_with(end) {
            return Some(HostOwner::AnyNamespace);
        }
        Some(match end.strip_suffix(mesh)?.rsplit_once('.') {
            Some((_, namespace)) => HostOwner::Namespace(namespace),
            None => HostOwner::AnyNamespace,
        })
    }

    /// A ServiceEntry of another namespace for a host, or for one that a wildcard fits. There is none to tell of where
    /// this namespace has the host for others too, unless it came there later.
    fn foreign_entry(&self, host: &str, own: &str) -> Option<&Subject<'a>> {
        let end: String = host.trim_start_matches('*').chars().rev().collect();
        let is_wildcard = host.starts_with('*');
        let from_here = self.outside.by_end.range(end.clone()..);
        let fitting = from_here
            .take_while(|(found, _)| if is_wildcard { found.starts_with(&end) } else { **found == end });
        let foreign = fitting.filter_map(|(_, (host, pair))| Some((host, pair.unlike(own)?)));
        let (found, number) = foreign.into_iter().next()?;
        let other = self.subject(number)?;
        let Some(wide) = self.outside.wide.get(&(Rc::from(host), own)) else { return Some(other) };
        let claim = Claim::Outside { host: Rc::clone(found) };
        let is_newcomer =
            !self.has_in_force(&claim, self.subject(*wide)?) && self.has_in_force(&claim, other);
        is_newcomer.then_some(other)
    }
}
