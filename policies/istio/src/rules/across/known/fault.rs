//! Of resources that cannot be together, those at fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    Known,
    claims::{Claim, all, matched, outside, public_hosts, routes},
    scope::ALL,
    standing::Standing,
};
use crate::{in_force::InForce, resource::Kind, rules::subject::Subject};

/// What applications have in force, by namespace, application and kind.
#[derive(Debug, Default)]
pub(in crate::rules::across) struct Before<'a>(BTreeMap<(&'a str, &'a str, Kind), Vec<Subject<'a>>>);

/// The claims that applications have in force, by namespace and application; those of a namespace without one.
pub(super) type Made<'a> = BTreeSet<(&'a str, &'a str, Claim<'a>)>;

impl<'a> Before<'a> {
    pub(in crate::rules::across) fn new(in_force: &'a InForce) -> Self {
        let mut before = BTreeMap::<_, Vec<_>>::new();
        for ((namespace, name), resources) in in_force.applications() {
            for resource in resources {
                let key = (namespace.as_str(), name.as_str(), resource.kind);
                before.entry(key).or_default().push(Subject::new(resource));
            }
        }
        Self(before)
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
            Standing::of(now.resource.application().map(|(namespace, name)| {
                let before = self.0.get(&(namespace, name, now.kind()));
                before.into_iter().flatten().any(|before| claims(before, now))
            }))
        };
        standing(subject).is_at_fault_beside(standing(other))
    }

    /// All claims.
    pub(super) fn claims(&self, known: &Known<'a>) -> Made<'a> {
        let all_of = |((namespace, name, _), subjects): (&(&'a str, &'a str, Kind), &Vec<Subject<'a>>)| {
            let own = |subject| {
                let claims = all(known, subject).chain(outside(known, subject));
                let claims = claims.map(|(claim, _)| claim).chain(matched(known, subject));
                let claims = claims.map(|claim| (*namespace, *name, claim));
                let routes = routes(known, subject).into_iter().map(|(claim, _)| claim);
                let of_namespace = public_hosts(known, subject).into_iter().chain(routes);
                claims.chain(of_namespace.map(|claim| (*namespace, "", claim))).collect::<Vec<_>>()
            };
            subjects.iter().flat_map(own).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(all_of).collect()
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
