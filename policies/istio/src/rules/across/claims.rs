//! What only one resource can have, and the first resource that has it.
//!
//! To compare each two resources takes a thousand times as long for a thousand of them.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    Rule,
    duplicates::{is_after, name},
    known::Known,
};
use crate::{
    field::Field,
    resource::Kind,
    rules::subject::{Out, Subject},
};

pub(super) const RULES: &[Rule] = &[Rule::new("X138", x138), Rule::new("X145", x145), Rule::new("H15", h15)];

/// Something that only one resource can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim<'a> {
    /// The certificate of Gateways at the same Pods.
    Certificate { selector: Rc<str>, secret: &'a str },
    /// A host at a port of Gateways at the same Pods.
    Server { selector: Rc<str>, port: Option<i64>, bind: &'a str, host: &'a str },
    /// The policy of a host in a namespace.
    Policy { namespace: &'a str, host: Rc<str> },
    /// A subset of a host in a namespace.
    Subset { namespace: &'a str, host: Rc<str>, name: &'a str },
}

/// The first resource of each claim.
#[derive(Debug, Default)]
pub(super) struct Claims<'a>(BTreeMap<Claim<'a>, usize>);

impl<'a> Claims<'a> {
    /// The claims of resources that come in their order.
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut first = BTreeMap::new();
        for (number, subject) in known.subjects().enumerate() {
            let claims =
                certificates(subject).into_iter().chain(servers(subject)).chain(policy(known, subject));
            for (claim, _) in claims.chain(subsets(known, subject)) {
                first.entry(claim).or_insert(number);
            }
        }
        Self(first)
    }
}

/// The resource of that claim, if it is another one, and earlier.
fn earlier<'k, 'a>(
    known: &'k Known<'a>,
    claim: &Claim<'a>,
    subject: &Subject<'a>,
) -> Option<&'k Subject<'a>> {
    let first = known.subject(*known.claims.0.get(claim)?)?;
    is_after(subject, first).then_some(first)
}

type Claimed<'a> = Vec<(Claim<'a>, Field<'a>)>;

/// The selector of a Gateway; none where it says nothing.
fn pods<'a>(subject: &Subject<'a>) -> Option<Rc<str>> {
    let selector = subject.get("selector");
    (subject.kind() == Kind::Gateway && !selector.is_empty()).then(|| selector.value().to_string().into())
}

/// The certificates of a Gateway, each once.
fn certificates<'a>(subject: &Subject<'a>) -> Claimed<'a> {
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
fn plain(entry: &str) -> &str {
    entry.split_once('/').map_or(entry, |(_, host)| host)
}

fn servers<'a>(subject: &Subject<'a>) -> Claimed<'a> {
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

fn policy<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let (Some(host), policy) = (host(known, subject), subject.get("trafficPolicy")) else {
        return Vec::new();
    };
    let namespace = &subject.resource.namespace;
    if policy.is_empty() { Vec::new() } else { vec![(Claim::Policy { namespace, host }, policy)] }
}

fn subsets<'a>(known: &Known, subject: &Subject<'a>) -> Claimed<'a> {
    let Some(host) = host(known, subject) else { return Vec::new() };
    let namespace = &subject.resource.namespace;
    let claimed = |subset: Field<'a>| {
        let name = subset.word("name");
        (Claim::Subset { namespace, host: host.clone(), name }, subset.get("name"))
    };
    subject.each("subsets").map(claimed).collect()
}

fn x138(known: &Known, subject: &Subject, out: &mut Out) {
    for (claim, at) in certificates(subject) {
        if let Some(other) = earlier(known, &claim, subject) {
            let reason =
                format!("is used by {} too: a browser reuses its connection there and gets 404", name(other));
            out.warning(&at, reason, "write one Gateway for a certificate");
        }
    }
}

fn x145(known: &Known, subject: &Subject, out: &mut Out) {
    for (claim, at) in servers(subject) {
        if let Some(other) = earlier(known, &claim, subject) {
            let host = at.text().map(plain).unwrap_or_default();
            let reason = format!("`{host}` is taken by {} at the same port", name(other));
            out.error(&at, reason, "write each host in one Gateway");
        }
    }
}

/// Istio merges rules for one host, but takes the first policy and the first subset of a name only.
fn h15(known: &Known, subject: &Subject, out: &mut Out) {
    for (claim, at) in policy(known, subject) {
        if let Some(other) = earlier(known, &claim, subject) {
            let reason = format!("is ignored beside that of {} for the same host", name(other));
            out.error(&at, reason, "write one policy for a host");
        }
    }
    for (claim, at) in subsets(known, subject) {
        if let Some(other) = earlier(known, &claim, subject) {
            let subset = at.text().unwrap_or_default();
            let reason = format!("is dropped, since {} has `{subset}` for the same host", name(other));
            out.error(&at, reason, "write each subset once");
        }
    }
}
