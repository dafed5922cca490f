//! Of resources that cannot be together, those at fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    Known,
    claims::{Claim, all, matched, outside, public_hosts, routes},
    scope::{ALL, scope},
    standing::Standing,
};
use crate::{in_force::InForce, resource::Kind, rules::subject::Subject};

/// What applications have in force.
#[derive(Debug, Default)]
pub(in crate::rules::across) struct Before<'a> {
    /// Each with its namespace and its application.
    all: Vec<((&'a str, &'a str), Subject<'a>)>,
    by_application: BTreeMap<(&'a str, &'a str, Kind), Vec<usize>>,
}

/// The claims that applications have in force, by namespace and application; those of a namespace without one.
pub(super) type Made<'a> = BTreeSet<(&'a str, &'a str, Claim<'a>)>;

impl<'a> Before<'a> {
    pub(in crate::rules::across) fn new(in_force: &'a InForce) -> Self {
        let mut before = Self::default();
        for ((namespace, name), resources) in in_force.applications() {
            let (namespace, name) = (namespace.as_str(), name.as_str());
            for resource in resources {
                let numbers = before.by_application.entry((namespace, name, resource.kind)).or_default();
                numbers.push(before.all.len());
                before.all.push(((namespace, name), Subject::new(resource)));
            }
        }
        before
    }

    /// All that is in force.
    pub(super) fn all(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.all.iter().map(|(_, subject)| subject)
    }

    /// What the application of a resource has in force of its kind.
    pub(in crate::rules::across) fn of<'k>(
        &'k self,
        subject: &'k Subject,
    ) -> impl Iterator<Item = &'k Subject<'a>> {
        let application = subject.resource.application();
        let numbers = application
            .and_then(|(namespace, name)| self.by_application.get(&(namespace, name, subject.kind())));
        let numbers = numbers.into_iter().flatten();
        numbers.filter_map(|number| Some(&self.all.get(*number)?.1))
    }

    /// The `hosts` of these that are seen wherever this one is, as they are written.
    pub(in crate::rules::across) fn hosts<'k>(&'k self, subject: &'k Subject) -> BTreeSet<&'a str> {
        let now = scope(subject, 1);
        let is_seen_there = |before: &&Subject| {
            let was = scope(before, 1);
            was.contains(ALL) || was.is_superset(&now)
        };
        let before = self.of(subject).filter(is_seen_there);
        before.flat_map(|before| before.get("hosts").texts()).map(|(host, _)| host).collect()
    }

    /// True if a resource is at fault beside another one that claims the same. `claims` says for a resource that is
    /// in force, and one as it is now, if the former makes the claim too.
    pub(in crate::rules::across) fn is_at_fault(
        &self,
        subject: &Subject,
        other: &Subject,
        claims: impl Fn(&Subject<'a>, &Subject) -> bool,
    ) -> bool {
        let standing = |now: &Subject| {
            let is_of_one = now.resource.application().is_some();
            Standing::of(is_of_one.then(|| self.of(now).any(|before| claims(before, now))))
        };
        standing(subject).is_at_fault_beside(standing(other))
    }

    /// All claims.
    pub(super) fn claims(&self, known: &Known<'a>) -> Made<'a> {
        let own = |((namespace, name), subject): &((&'a str, &'a str), Subject<'a>)| {
            let claims = all(known, subject).chain(outside(known, subject));
            let claims = claims.map(|(claim, _)| claim).chain(matched(known, subject));
            let claims = claims.map(|claim| (*namespace, *name, claim));
            let routes = routes(known, subject).into_iter().map(|(claim, _)| claim);
            let of_namespace = public_hosts(known, subject).into_iter().chain(routes);
            claims.chain(of_namespace.map(|claim| (*namespace, "", claim))).collect::<Vec<_>>()
        };
        self.all.iter().flat_map(own).collect()
    }
}

impl<'a> Known<'a> {
    /// True if a resource is at fault beside another one that makes the same claim.
    pub(in crate::rules::across) fn is_at_fault(
        &self,
        claim: &Claim<'a>,
        subject: &Subject<'a>,
        other: &Subject<'a>,
    ) -> bool {
        self.is_at_fault_beside((claim, subject), (claim, other))
    }

    /// True if a resource is at fault whose claim does not go with that of another one.
    pub(in crate::rules::across) fn is_at_fault_beside(
        &self,
        (claim, subject): (&Claim<'a>, &Subject<'a>),
        (other_claim, other): (&Claim<'a>, &Subject<'a>),
    ) -> bool {
        self.standing(claim, subject).is_at_fault_beside(self.standing(other_claim, other))
    }

    fn standing(&self, claim: &Claim<'a>, subject: &Subject<'a>) -> Standing {
        let application = subject.resource.application();
        Standing::of(application.map(|(namespace, name)| self.is_made(namespace, name, claim)))
    }

    /// True if the application of a resource has a claim in force.
    pub(in crate::rules::across) fn has_in_force(&self, claim: &Claim<'a>, subject: &Subject<'a>) -> bool {
        self.standing(claim, subject) == Standing::InForce
    }

    /// True if an application of the same namespace has a claim in force. What is written by hand is there.
    pub(in crate::rules::across) fn has_in_namespace(
        &self,
        claim: &Claim<'a>,
        subject: &Subject<'a>,
    ) -> bool {
        let application = subject.resource.application();
        application.is_none_or(|(namespace, _)| self.is_made(namespace, "", claim))
    }

    /// Who has the routes of a host for all namespaces may have them for one.
    fn is_made(&self, namespace: &'a str, name: &'a str, claim: &Claim<'a>) -> bool {
        let of_all = match claim {
            Claim::Route { host, .. } => Some(Claim::Route { host: Rc::clone(host), namespace: ALL }),
            _ => None,
        };
        let claims = [claim.clone()].into_iter().chain(of_all);
        claims.into_iter().any(|claim| self.made_before.contains(&(namespace, name, claim)))
    }
}
