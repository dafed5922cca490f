//! What only one resource can have, and the resources that have it.
//!
//! To compare each two resources takes a thousand times as long for a thousand of them.

mod hosts;

use std::{collections::BTreeMap, rc::Rc};

pub(super) use self::hosts::outside;
use self::hosts::services;
pub(in crate::rules::across) use self::hosts::{owned, public_hosts, routes, too_many_routes};
use super::{
    Known,
    pair::Pair,
    parents::{Matched, matches},
    public::{At, Gateway},
};
use crate::{field::Field, resource::Kind, rules::subject::Subject};

/// Something that only one resource can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules::across) enum Claim<'a> {
    /// The certificate of Gateways at the same Pods.
    Certificate { selector: Rc<str>, secret: &'a str },
    /// A host at a port of Gateways at the same Pods.
    Server { selector: Rc<str>, port: Option<i64>, bind: &'a str, host: &'a str },
    /// The policy of a host in a namespace.
    Policy { namespace: &'a str, host: Rc<str> },
    /// A subset of a host in a namespace.
    Subset { namespace: &'a str, host: Rc<str>, name: &'a str },
    /// The routes of a host in a VirtualService of its owner, or for all.
    Owned { host: Rc<str> },
    /// A Service that routes of the Gateway API are for.
    Parent { host: Rc<str> },
    /// Requests that routes of the Gateway API match.
    Matched(Matched<'a>),
    /// A public host of a namespace at a Gateway; without one at any.
    Public { at: At<'a>, gateway: Option<Gateway<'a>> },
    /// A host of a ServiceEntry.
    Outside { host: Rc<str> },
    /// The routes of a host for the calls of a namespace in the mesh, `*` for those of all.
    Route { host: Rc<str>, namespace: &'a str },
}

/// The first resource of each claim, and another one.
#[derive(Debug, Default)]
pub(super) struct Claims<'a>(BTreeMap<Claim<'a>, Pair<usize>>);

impl<'a> Claims<'a> {
    /// The claims of resources that come in their order.
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut pairs = BTreeMap::<_, Pair<_>>::new();
        for (number, subject) in known.subjects().enumerate() {
            for (claim, _) in all(known, subject) {
                pairs.entry(claim).or_default().add(number, number);
            }
        }
        Self(pairs)
    }
}

impl<'a> Known<'a> {
    /// A resource of a claim that is not this one.
    pub(in crate::rules::across) fn another(
        &self,
        claim: &Claim<'a>,
        subject: &Subject,
    ) -> Option<&Subject<'a>> {
        self.subject(self.claims.0.get(claim)?.unlike(subject.rank)?)
    }
}

/// All claims of a resource.
pub(super) fn all<'a>(known: &Known, subject: &Subject<'a>) -> impl Iterator<Item = (Claim<'a>, Field<'a>)> {
    let of_gateway = certificates(subject).into_iter().chain(servers(subject));
    of_gateway
        .chain(policy(known, subject))
        .chain(subsets(known, subject))
        .chain(routes(known, subject))
        .chain(owned(known, subject))
        .chain(services(known, subject))
}

pub(in crate::rules::across) type Claimed<'a> = Vec<(Claim<'a>, Field<'a>)>;

/// The requests that a route of the Gateway API matches.
pub(in crate::rules::across) fn matched<'a>(
    known: &Known,
    subject: &Subject<'a>,
) -> impl Iterator<Item = Claim<'a>> {
    matches(known, subject).into_iter().map(|(matched, ..)| Claim::Matched(matched))
}

/// The selector of a Gateway; none where it says nothing.
fn pods<'a>(subject: &Subject<'a>) -> Option<Rc<str>> {
    let selector = subject.get("selector");
    (subject.kind() == Kind::Gateway && !selector.is_empty()).then(|| selector.value().to_string().into())
}

/// The certificates of a Gateway, each once.
pub(in crate::rules::across) fn certificates<'a>(subject: &Subject<'a>) -> Claimed<'a> {
    let Some(selector) = pods(subject) else { return Vec::new() };
    let names = subject.each("servers").map(|server| server.get("tls").get("credentialName"));
    let mut found: Vec<_> = names
        .filter_map(|at| {
            let secret = at.text().filter(|name| !name.is_empty())?;
            Some((Claim::Certificate { selector: selector.clone(), secret }, at))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.dedup_by(|(one, _), (other, _)| one == other);
    found
}

/// The host of an entry, without its namespace.
pub(in crate::rules::across) fn plain(entry: &str) -> &str {
    entry.split_once('/').map_or(entry, |(_, host)| host)
}

pub(in crate::rules::across) fn servers<'a>(subject: &Subject<'a>) -> Claimed<'a> {
    let Some(selector) = pods(subject) else { return Vec::new() };
    let hosts = subject.each("servers").flat_map(|server| {
        let (port, bind) = (server.get("port").integer_of("number"), server.word("bind"));
        server.get("hosts").texts().map(move |(entry, at)| (port, bind, plain(entry), at))
    });
    let claimed =
        |(port, bind, host, at)| (Claim::Server { selector: selector.clone(), port, bind, host }, at);
    hosts.map(claimed).collect()
}

/// The host of a DestinationRule for all workloads.
fn host(known: &Known, subject: &Subject) -> Option<Rc<str>> {
    let is_for_all = subject.kind() == Kind::DestinationRule && subject.get("workloadSelector").is_empty();
    let full = || known.full(subject.spec.word("host"), &subject.resource.namespace);
    is_for_all.then(full).map(Rc::from)
}

pub(in crate::rules::across) fn policy<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let (Some(host), policy) = (host(known, subject), subject.get("trafficPolicy")) else {
        return Vec::new();
    };
    let namespace = &subject.resource.namespace;
    if policy.is_empty() { Vec::new() } else { vec![(Claim::Policy { namespace, host }, policy)] }
}

pub(in crate::rules::across) fn subsets<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let Some(host) = host(known, subject) else { return Vec::new() };
    let namespace = &subject.resource.namespace;
    let claimed = |subset: Field<'a>| {
        let name = subset.word("name");
        (Claim::Subset { namespace, host: host.clone(), name }, subset.get("name"))
    };
    subject.each("subsets").map(claimed).collect()
}
