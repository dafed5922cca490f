//! Hosts that belong to a namespace: its services, and what its ServiceEntries name.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    Known,
    claims::{Claim, outside},
    entries::wildcards,
    pair::Pair,
};
use crate::{
    resource::Kind,
    rules::{protocol::Protocol, subject::Subject},
    text::from_end,
};

/// The hosts of ServiceEntries.
#[derive(Debug, Default)]
pub(super) struct Outside<'a> {
    /// The first entries of each host, of two namespaces. The host is written from its end, so that those of a wildcard
    /// stand together.
    by_end: ByEnd<'a>,
    /// The hosts by the namespaces of their entries.
    by_namespace: BTreeSet<(&'a str, Rc<str>)>,
    /// The entries that were found, by host and namespace: many VirtualServices may have one wildcard.
    found: RefCell<BTreeMap<(bool, String, String), Option<Found>>>,
}

type ByEnd<'a> = BTreeMap<(Which, String), Pair<&'a str>>;

/// The entries that have a port of HTTP, or all; and of these the ones that have the host in force, or all.
type Which = (bool, bool);

/// The number of an entry, and whether its application has the host in force.
type Found = (usize, bool);

/// The owner of services.
pub(in crate::rules::across) enum HostOwner<'k> {
    Namespace(&'k str),
    /// Every namespace with services that a wildcard fits.
    AnyNamespace,
}

impl<'a> Outside<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for subject in known.all(Kind::ServiceEntry) {
            let has_http = may_have_http(subject);
            for (claim, _) in outside(known, subject) {
                let is_in_force = known.has_in_force(&claim, subject);
                let Claim::Outside { host } = claim else { continue };
                let end = from_end(&host);
                found.by_namespace.insert((&subject.resource.namespace, host));
                let which =
                    [(has_http, is_in_force), (has_http, false), (false, is_in_force), (false, false)];
                for which in which {
                    let pair = found.by_end.entry((which, end.clone())).or_default();
                    pair.add(&subject.resource.namespace, subject.rank);
                }
            }
        }
        found
    }
}

impl<'a> Known<'a> {
    /// The owner of a full host, or of hosts that a wildcard fits, if it is not this namespace.
    pub(in crate::rules::across) fn foreign_owner<'k>(
        &self,
        host: &'k str,
        own: &str,
    ) -> Option<HostOwner<'k>> {
        let owner = match host.strip_prefix('*') {
            Some(end) => self.of_wildcard(end),
            None => self.namespace_of(host).map(HostOwner::Namespace),
        };
        owner.filter(|owner| !matches!(owner, HostOwner::Namespace(namespace) if *namespace == own))
    }

    /// The owners of the services that end so.
    fn of_wildcard<'h>(&self, end: &'h str) -> Option<HostOwner<'h>> {
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

    /// True if a namespace has a ServiceEntry for a host.
    pub(in crate::rules::across) fn has_own_entry(&self, host: &Rc<str>, own: &'a str) -> bool {
        self.outside.by_namespace.contains(&(own, Rc::clone(host)))
    }

    /// A ServiceEntry of another namespace for a host, or where one of both is a wildcard that fits: first of those that
    /// have it in force, and whether it has. With `is_http` those alone that have a port of HTTP.
    pub(in crate::rules::across) fn foreign_entry(
        &self,
        host: &str,
        own: &str,
        is_http: bool,
    ) -> Option<(&Subject<'a>, bool)> {
        let key = (is_http, host.to_owned(), own.to_owned());
        let known = self.outside.found.borrow().get(&key).copied();
        let number = known.unwrap_or_else(|| {
            let found = self.find_entry(host, own, is_http);
            self.outside.found.borrow_mut().insert(key, found);
            found
        });
        let (number, is_in_force) = number?;
        Some((self.subject(number)?, is_in_force))
    }

    fn find_entry(&self, host: &str, own: &str, is_http: bool) -> Option<Found> {
        let is_wildcard = host.starts_with('*');
        let end = from_end(host.trim_start_matches('*'));
        let above: Vec<_> = narrow_wildcards(host).map(|wildcard| from_end(&wildcard)).collect();
        let find = |is_in_force| {
            let which = (is_http, is_in_force);
            let from_here = self.outside.by_end.range((which, end.clone())..);
            let mut fitting = from_here.take_while(|((of, found), _)| {
                let fits = if is_wildcard { found.starts_with(&end) } else { *found == end };
                fits && *of == which
            });
            let found = fitting.find_map(|(_, pair)| pair.unlike(own));
            // The entries of wildcards that fit it.
            let mut wider = above.iter().filter_map(|end| self.outside.by_end.get(&(which, end.clone())));
            Some((found.or_else(|| wider.find_map(|pair| pair.unlike(own)))?, is_in_force))
        };
        find(true).or_else(|| find(false))
    }
}

/// The wildcards that fit a host, but for that of a whole top-level domain: an entry for `*.com` says nothing about a host of
/// it.
pub(in crate::rules::across) fn narrow_wildcards(host: &str) -> impl Iterator<Item = String> {
    wildcards(host).filter(|wildcard| wildcard.matches('.').count() > 1)
}

/// True if a port of a ServiceEntry carries HTTP. Of one without a protocol Istio finds that out.
pub(in crate::rules::across) fn may_have_http(subject: &Subject) -> bool {
    let is_http = |protocol: &str| protocol.is_empty() || Protocol::of(protocol).is_http();
    subject.each("ports").any(|port| is_http(port.word("protocol")))
}
