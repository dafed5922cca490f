//! The namespaces that route a host in the mesh for others.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    Known,
    claims::{Claim, routes},
    entries::wildcards,
    pair::Pair,
    scope::ALL,
};
use crate::{resource::Kind, rules::subject::Subject};

/// The first VirtualServices of each host, of two namespaces.
#[derive(Debug, Default)]
pub(super) struct Routed<'a> {
    /// Those for all namespaces.
    for_all: BTreeMap<Rc<str>, Pair<&'a str>>,
    /// Those for other namespaces by name, which Istio takes there in place of one for all.
    for_some: BTreeMap<Rc<str>, Pair<&'a str>>,
}

impl<'a> Routed<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for subject in known.all(Kind::VirtualService) {
            let own = &*subject.resource.namespace;
            for (claim, _) in routes(known, subject) {
                let Claim::Route { host, namespace } = claim else { continue };
                let routed = match namespace {
                    ALL => &mut found.for_all,
                    _ if namespace == own => continue,
                    _ => &mut found.for_some,
                };
                routed.entry(host).or_default().add(own, subject.rank);
            }
        }
        found
    }
}

impl<'a> Known<'a> {
    /// A VirtualService of another namespace that has a host for all where this one has it for another namespace by
    /// name, or the other way round.
    pub(in crate::rules::across) fn another_for_others(
        &self,
        claim: &Claim<'a>,
        subject: &Subject,
    ) -> Option<&Subject<'a>> {
        let own = &*subject.resource.namespace;
        let Claim::Route { host, namespace } = claim else { return None };
        let theirs = match *namespace {
            ALL => &self.routed.for_some,
            namespace if namespace == own => return None,
            _ => &self.routed.for_all,
        };
        self.subject(theirs.get(host)?.unlike(own)?)
    }

    /// A VirtualService of another namespace that takes the calls of this one for a host.
    pub(in crate::rules::across) fn foreign_route(
        &self,
        host: &Rc<str>,
        subject: &Subject<'a>,
    ) -> Option<&Subject<'a>> {
        let own = &*subject.resource.namespace;
        let for_own = Claim::Route { host: Rc::clone(host), namespace: own };
        if let Some(route) = self.another(&for_own, subject) {
            return Some(route).filter(|route| route.resource.namespace != own);
        }
        let hosts = [host.to_string()].into_iter().chain(wildcards(host));
        let mut pairs = hosts.filter_map(|host| self.routed.for_all.get(&*host));
        self.subject(pairs.next()?.unlike(own)?)
    }
}
