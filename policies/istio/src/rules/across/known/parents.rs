//! Routes of the Gateway API for Services, and what they match.

use std::{collections::BTreeMap, rc::Rc};

use super::{Known, pair::Pair};
use crate::{field::Field, resource::Kind, rules::subject::Subject};

/// Requests that a route matches: to a Service, from callers of the namespace of the route, or of all where the Service
/// is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules::across) struct Matched<'a> {
    namespace: &'a str,
    host: Rc<str>,
    port: Option<i64>,
    /// The match as text.
    wanted: Rc<str>,
}

/// The first route of each match, and the first one whose rule for it is another.
#[derive(Debug, Default)]
pub(super) struct Parents<'a>(BTreeMap<Matched<'a>, Pair<usize>>, Rules);

/// The texts of rules, each with a number.
type Rules = BTreeMap<Rc<str>, usize>;

impl<'a> Parents<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut found = Self::default();
        for subject in known.subjects() {
            for (matched, rule, _) in matches(known, subject) {
                let next = found.1.len();
                let rule = *found.1.entry(rule).or_insert(next);
                found.0.entry(matched).or_default().add(rule, subject.rank);
            }
        }
        found
    }
}

impl<'a> Known<'a> {
    /// What a route matches and another one matches too, with another rule for it.
    pub(in crate::rules::across) fn contradictions<'k>(
        &'k self,
        subject: &Subject<'a>,
    ) -> Vec<(Matched<'a>, Field<'a>, &'k Subject<'a>)> {
        let others = matches(self, subject).into_iter().filter_map(|(matched, rule, field)| {
            let number = self.parents.0.get(&matched)?.unlike(*self.parents.1.get(&rule)?)?;
            Some((matched, field, self.subject(number)?))
        });
        others.collect()
    }
}

/// The Service of a reference: its full host; none of another kind.
pub(in crate::rules::across) fn service(
    known: &Known,
    subject: &Subject,
    reference: &Field,
) -> Option<Rc<str>> {
    let kind = reference.get("kind").text().unwrap_or("Service");
    let namespace = reference.get("namespace").text().unwrap_or(&subject.resource.namespace);
    let name = reference.get("name").text()?;
    (kind == "Service").then(|| known.around.cluster_domain.host(name, namespace).into())
}

/// The Services that a route is for, with their references. The API takes 32 at most.
pub(in crate::rules::across) fn parents<'a>(
    known: &Known,
    subject: &Subject<'a>,
) -> Vec<(Rc<str>, Field<'a>)> {
    if !Kind::GATEWAY_API.contains(&subject.kind()) {
        return Vec::new();
    }
    let parents = subject.each("parentRefs").take(32).filter(|parent| parent.word("kind") == "Service");
    parents.filter_map(|parent| Some((service(known, subject, &parent)?, parent))).collect()
}

/// The Services of its own namespace that a route is for. A route for a Service of another namespace holds for callers of its
/// own namespace alone, so that the routes of the owner do not contradict it.
pub(in crate::rules::across) fn produced<'a>(
    known: &Known,
    subject: &Subject<'a>,
) -> Vec<(Rc<str>, Field<'a>)> {
    let own = Some(&*subject.resource.namespace);
    let parents = parents(known, subject).into_iter();
    parents.filter(|(host, _)| known.namespace_of(host) == own).collect()
}

/// The text of a match. One of all requests is written in one way.
fn text(wanted: &Field) -> Rc<str> {
    let (path, names) = (wanted.get("path"), wanted.entries().map(|(name, _)| name));
    let is_all = names.eq(["path"]) && path.word("type") == "PathPrefix" && path.word("value") == "/";
    if is_all || wanted.is_empty() { "{}".into() } else { wanted.value().to_string().into() }
}

/// The first rule of each match of a route: the rule without its matches.
fn rules<'a>(subject: &Subject<'a>) -> BTreeMap<Rc<str>, (Rc<str>, Field<'a>)> {
    let mut first = BTreeMap::new();
    for rule in subject.each("rules") {
        let rest = rule.entries().filter(|(name, _)| !["matches", "name"].contains(name));
        let rest: Vec<_> = rest.map(|(name, at)| format!("{name}: {}", at.value())).collect();
        let rest: Rc<str> = rest.join(", ").into();
        let matches = rule.get("matches");
        let all = matches.is_empty().then(|| ("{}".into(), rule.clone()));
        for (wanted, at) in all.into_iter().chain(matches.items().map(|at| (text(&at), at))) {
            first.entry(wanted).or_insert_with(|| (Rc::clone(&rest), at));
        }
    }
    first
}

/// All that a route matches, with the text of its rule.
pub(super) fn matches<'a>(known: &Known, subject: &Subject<'a>) -> Vec<(Matched<'a>, Rc<str>, Field<'a>)> {
    let parents = parents(known, subject);
    let rules = if parents.is_empty() { BTreeMap::new() } else { rules(subject) };
    let namespace = &*subject.resource.namespace;
    let of_parent = |(host, parent): &(Rc<str>, Field<'a>)| {
        let (host, port) = (Rc::clone(host), parent.integer_of("port"));
        let matched = |(wanted, (rule, at)): (&Rc<str>, &(Rc<str>, Field<'a>))| {
            let (host, wanted) = (Rc::clone(&host), Rc::clone(wanted));
            (Matched { namespace, host, port, wanted }, Rc::clone(rule), at.clone())
        };
        rules.iter().map(matched).collect::<Vec<_>>()
    };
    parents.iter().flat_map(of_parent).collect()
}
