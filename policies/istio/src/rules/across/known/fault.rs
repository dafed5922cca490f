//! Of resources that cannot be together, those at fault.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    Known,
    before::Before,
    claims::{Claim, all, matched, outside, public_hosts, routes},
    scope::ALL,
    standing::Standing,
};
use crate::rules::subject::Subject;

/// The claims that applications have in force, by namespace and application; those of a namespace without one.
pub(super) type Made<'a> = BTreeSet<(&'a str, &'a str, Claim<'a>)>;

impl<'a> Before<'a> {
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
