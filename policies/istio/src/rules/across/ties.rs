//! What resources have to do with each other: where one comes, goes or changes, rules may say something else about those
//! that need what it gives.
//!
//! Each error of a rule over several resources is here, as far as it depends on other resources. Too many ties keep too
//! much as it is, also what other namespaces have. Too few cost time: whatever they say, all is checked again.

mod hosts;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    gateways::named,
    known::{
        At, Claim, Definition, Known, is_wide, labels, matched, owned, policy, produced, public_hosts,
        routes, servers, subsets,
    },
    tokens::readers,
};
use crate::{
    in_force::InForce,
    resource::{Kind, Resource},
    rules::subject::Subject,
    surroundings::Surroundings,
    values::LabelPairs,
};

/// Something that a resource gives to others, or takes from them, by its number: many resources have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tie(usize);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of<'a> {
    /// The object of this kind, namespace and name.
    Object(Kind, String, String),
    Claim(Claim<'a>),
    /// A public host at any Gateway.
    Public(At<'a>),
    Subset(Definition<'a>),
    /// The DestinationRules of a namespace for a host, whatever they define: wider ones do not count beside them.
    Rules(Rc<str>, &'a str),
    /// The ServiceEntries of a namespace for a host, which may be a wildcard, for those that see them.
    Entries {
        host: Rc<str>,
        of: &'a str,
        seen_by: &'a str,
    },
    /// Those of a host, whoever sees them.
    AnyEntries(Rc<str>),
    /// Those whose applications have the host in force, whoever sees them; those with a port of HTTP, or all.
    EntriesInForce(Rc<str>, bool),
    /// The same of all hosts with this end.
    End(Rc<str>, bool),
    /// That a namespace has some of a kind.
    Some(Kind, String),
    /// That something reads tokens in a namespace.
    Tokens(String),
    /// All of a namespace, as one of a kind has it.
    Wide(Kind, &'a str),
    /// A selector of a namespace, as one of a kind has it.
    Selector(Kind, &'a str, Vec<(&'a str, &'a str)>),
    /// Pods of a namespace, as one of a kind has them.
    Pods(Kind, &'a str, LabelPairs),
}

/// The ties of a resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ties {
    pub(crate) gives: BTreeSet<Tie>,
    pub(crate) needs: BTreeSet<Tie>,
}

/// The ties of each of these resources, beside what is in force.
pub(crate) fn ties(resources: &[&Resource], in_force: &InForce, around: &Surroundings) -> Vec<Ties> {
    let known = Known::new(resources, in_force, around);
    let (ends, mut numbers) = (hosts::routed_ends(&known), BTreeMap::new());
    let mut all = Vec::new();
    for subject in known.subjects() {
        let mut tying = Tying { known: &known, ends: &ends, numbers: &mut numbers, ties: Ties::default() };
        tying.add(subject);
        all.push(tying.ties);
    }
    all
}

/// The ties of a resource while they are found.
struct Tying<'t, 'a> {
    known: &'t Known<'a>,
    ends: &'t BTreeSet<String>,
    numbers: &'t mut BTreeMap<Of<'a>, Tie>,
    ties: Ties,
}

impl<'a> Tying<'_, 'a> {
    fn add(&mut self, subject: &Subject<'a>) {
        let (kind, namespace) = (subject.kind(), &*subject.resource.namespace);
        self.excludes(Of::Object(kind, namespace.to_owned(), subject.resource.name.clone()));
        self.claims(subject);
        match kind {
            Kind::DestinationRule => self.defines(subject),
            Kind::ServiceEntry => self.names(subject),
            Kind::Gateway => self.give(Of::Some(kind, namespace.to_owned())),
            Kind::RequestAuthentication => self.give(Of::Tokens(namespace.to_owned())),
            Kind::VirtualService => {
                self.calls(subject);
                self.takes(subject);
                self.is_at_gateways(subject);
            }
            Kind::Sidecar | Kind::Telemetry | Kind::ProxyConfig => self.selects(subject),
            // A Pod may have several.
            Kind::PeerAuthentication if is_wide(subject) => self.excludes(Of::Wide(kind, namespace)),
            _ => {}
        }
    }

    fn number(&mut self, of: Of<'a>) -> Tie {
        let next = Tie(self.numbers.len());
        *self.numbers.entry(of).or_insert(next)
    }

    fn give(&mut self, of: Of<'a>) {
        let tie = self.number(of);
        self.ties.gives.insert(tie);
    }

    fn need(&mut self, of: Of<'a>) {
        let tie = self.number(of);
        self.ties.needs.insert(tie);
    }

    /// Only one can have it.
    fn excludes(&mut self, of: Of<'a>) {
        let tie = self.number(of);
        self.ties.gives.insert(tie);
        self.ties.needs.insert(tie);
    }

    fn claims(&mut self, subject: &Subject<'a>) {
        let known = self.known;
        let claimed = servers(subject).into_iter().chain(policy(known, subject));
        let claimed = claimed.chain(subsets(known, subject)).chain(routes(known, subject));
        let claimed = claimed.map(|(claim, _)| claim).chain(matched(known, subject));
        claimed.for_each(|claim| self.excludes(Of::Claim(claim)));
        for claim in public_hosts(known, subject) {
            let Claim::Public { at, gateway } = &claim else { continue };
            self.give(Of::Public(at.clone()));
            // One without a Gateway is at all of them.
            self.need(match gateway {
                Some(_) => Of::Claim(Claim::Public { at: at.clone(), gateway: None }),
                None => Of::Public(at.clone()),
            });
            self.excludes(Of::Claim(claim));
        }
        for (claim, _) in owned(known, subject) {
            let Claim::Owned { host } = &claim else { continue };
            self.need(Of::Claim(Claim::Parent { host: Rc::clone(host) }));
            // Routes for all and for some of other namespaces do not go together.
            self.excludes(Of::Claim(claim));
        }
        for (host, _) in produced(known, subject) {
            self.need(Of::Claim(Claim::Owned { host: Rc::clone(&host) }));
            self.give(Of::Claim(Claim::Parent { host }));
        }
    }

    /// The Gateways of a VirtualService, and the tokens that are read there.
    fn is_at_gateways(&mut self, subject: &Subject<'a>) {
        for (name, _) in named(subject) {
            if self.known.named(Kind::Gateway, &name.namespace, &name.name).is_none() {
                self.need(Of::Some(Kind::Gateway, name.namespace.clone()));
            }
            self.need(Of::Object(Kind::Gateway, name.namespace, name.name));
        }
        readers(self.known, subject).into_iter().for_each(|home| self.need(Of::Tokens(home)));
    }

    /// A resource of a kind of which a namespace, or a Pod, takes one only.
    fn selects(&mut self, subject: &Subject<'a>) {
        let (kind, namespace) = (subject.kind(), &*subject.resource.namespace);
        if is_wide(subject) {
            return self.excludes(Of::Wide(kind, namespace));
        }
        let labels = labels(subject);
        if labels.is_empty() {
            return;
        }
        for pod in self.known.pods.with(Some(namespace), &labels) {
            self.excludes(Of::Pods(kind, namespace, pod.labels.clone()));
        }
        self.excludes(Of::Selector(kind, namespace, labels));
    }
}
