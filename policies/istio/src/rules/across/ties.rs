//! What resources have to do with each other: where one comes, goes or changes, rules may say something else about those
//! that need what it gives.
//!
//! Each error of a rule over several resources is here, as far as it depends on other resources. Too many ties keep too
//! much as it is. Too few cost time: whatever they say, all is checked again.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::{
    gateways::named,
    known::{
        Claim, Known, is_wide, labels, matched, owned, parents, policy, public_hosts, routes, servers,
        subsets,
    },
    tokens::claim,
};
use crate::{
    in_force::InForce,
    resource::{Kind, Resource},
    rules::subject::Subject,
    surroundings::Surroundings,
    text,
    values::LabelPairs,
};

/// Something that a resource gives to others, or takes from them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tie<'a>(Of<'a>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of<'a> {
    /// The object of this kind, namespace and name.
    Object(Kind, String, String),
    Claim(Claim<'a>),
    /// A subset of a full host.
    Subset(Rc<str>, &'a str),
    /// The ServiceEntries of a host, which may be a wildcard.
    Host(String),
    /// Those of all hosts with this end.
    End(String),
    /// That a namespace has some of a kind.
    Some(Kind, String),
    /// That something reads tokens.
    Tokens,
    /// All of a namespace, as one of a kind has it.
    Wide(Kind, &'a str),
    /// A selector of a namespace, as one of a kind has it.
    Selector(Kind, &'a str, Vec<(&'a str, &'a str)>),
    /// Pods of a namespace, as one of a kind has them.
    Pods(Kind, &'a str, LabelPairs),
}

/// The ties of a resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ties<'a> {
    pub(crate) gives: Vec<Tie<'a>>,
    pub(crate) needs: Vec<Tie<'a>>,
}

/// The ties of each of these resources.
pub(crate) fn ties<'a>(resources: &[&'a Resource], around: &Surroundings) -> Vec<Ties<'a>> {
    let none = InForce::default();
    let known = Known::new(resources, &none, around);
    resources.iter().map(|resource| Ties::of(&known, &Subject::new(resource))).collect()
}

impl<'a> Ties<'a> {
    fn of(known: &Known, subject: &Subject<'a>) -> Self {
        let (mut ties, kind, namespace) = (Self::default(), subject.kind(), &*subject.resource.namespace);
        ties.excludes(Of::Object(kind, namespace.to_owned(), subject.resource.name.clone()));
        ties.claims(known, subject);
        match kind {
            Kind::DestinationRule => {
                let host: Rc<str> = known.full(subject.spec.word("host"), namespace).into();
                let names = subject.each("subsets").map(|subset| subset.word("name"));
                ties.give(names.map(|name| Of::Subset(Rc::clone(&host), name)));
            }
            Kind::ServiceEntry => {
                ties.give([Of::Some(kind, namespace.to_owned())]);
                for host in subject.get("hosts").texts().map(|(host, _)| known.full(host, namespace)) {
                    ties.give(ends(&host).map(Of::End).chain([Of::Host(host.clone())]));
                }
            }
            Kind::Gateway => ties.give([Of::Some(kind, namespace.to_owned())]),
            Kind::RequestAuthentication => ties.give([Of::Tokens]),
            Kind::VirtualService => ties.routes(known, subject),
            Kind::Sidecar | Kind::Telemetry | Kind::ProxyConfig | Kind::PeerAuthentication => {
                ties.selects(known, subject);
            }
            _ => {}
        }
        ties
    }

    fn give(&mut self, given: impl IntoIterator<Item = Of<'a>>) {
        self.gives.extend(given.into_iter().map(Tie));
    }

    fn need(&mut self, needed: impl IntoIterator<Item = Of<'a>>) {
        self.needs.extend(needed.into_iter().map(Tie));
    }

    /// Only one can have it.
    fn excludes(&mut self, of: Of<'a>) {
        self.give([of.clone()]);
        self.need([of]);
    }

    fn claims(&mut self, known: &Known, subject: &Subject<'a>) {
        let claimed = servers(subject).into_iter().chain(policy(known, subject));
        let claimed = claimed.chain(subsets(known, subject)).chain(routes(known, subject));
        let claimed = claimed.map(|(claim, _)| claim).chain(matched(known, subject));
        claimed.for_each(|claim| self.excludes(Of::Claim(claim)));
        for claim in public_hosts(known, subject) {
            // Wherever it is, it may meet those of all Gateways.
            let Claim::Public { at, .. } = claim else { continue };
            self.excludes(Of::Claim(Claim::Public { at, gateway: None }));
        }
        for (claim, _) in owned(known, subject) {
            let Claim::Owned { host } = &claim else { continue };
            self.need([Of::Claim(Claim::Parent { host: Rc::clone(host) })]);
            // Routes for all and for some of other namespaces do not go together.
            self.excludes(Of::Claim(claim));
        }
        for (host, _) in parents(known, subject) {
            self.need([Of::Claim(Claim::Owned { host: Rc::clone(&host) })]);
            self.give([Of::Claim(Claim::Parent { host })]);
        }
    }

    /// A VirtualService.
    fn routes(&mut self, known: &Known, subject: &Subject<'a>) {
        let own = &*subject.resource.namespace;
        for (host, destination) in known.destinations(subject) {
            let wildcards = ends(&host).map(|end| Of::Host(format!("*{end}")));
            self.need(wildcards.chain([Of::Host(host.clone())]));
            let subset = Some(destination.word("subset")).filter(|name| !name.is_empty());
            self.need(subset.map(|name| Of::Subset(host.as_str().into(), name)));
            if known.namespace_of(&host).is_none() {
                self.need([Of::Some(Kind::ServiceEntry, own.to_owned())]);
            }
        }
        for host in subject.get("hosts").texts().map(|(host, _)| known.full(host, own)) {
            self.need(ends(&host).map(|end| Of::Host(format!("*{end}"))));
            self.need([match host.strip_prefix('*') {
                Some(end) => {
                    Of::End(end.find('.').and_then(|at| end.get(at..)).unwrap_or_default().to_owned())
                }
                None => Of::Host(host),
            }]);
        }
        for (gateway, _) in named(subject) {
            if known.named(Kind::Gateway, &gateway.namespace, &gateway.name).is_none() {
                self.need([Of::Some(Kind::Gateway, gateway.namespace.clone())]);
            }
            self.need([Of::Object(Kind::Gateway, gateway.namespace, gateway.name)]);
        }
        self.need(claim(subject).map(|_| Of::Tokens));
    }

    /// A resource of a kind of which a namespace, or a Pod, takes one only.
    fn selects(&mut self, known: &Known, subject: &Subject<'a>) {
        let (kind, namespace) = (subject.kind(), &*subject.resource.namespace);
        if is_wide(subject) {
            return self.excludes(Of::Wide(kind, namespace));
        }
        let labels = labels(subject);
        if labels.is_empty() {
            return;
        }
        for pod in known.pods.with(Some(namespace), &labels) {
            self.excludes(Of::Pods(kind, namespace, pod.labels.clone()));
        }
        self.excludes(Of::Selector(kind, namespace, labels));
    }
}

/// The ends of a host from each of its dots on, and the empty one.
fn ends(host: &str) -> impl Iterator<Item = String> {
    text::ends(host).chain([""]).map(str::to_owned)
}
