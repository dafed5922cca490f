//! Rules over several resources, and over what surrounds them.

mod destinations;
mod duplicates;
mod foreign;
mod gateway_api;
mod gateways;
mod known;
mod one_for_each;
mod public_hosts;
mod selectors;
mod subsets;
mod ties;
mod tokens;

use self::known::Known;
pub(crate) use self::{
    known::is_for_own_namespace,
    ties::{Tie, Ties, ties},
};
use super::subject::{Out, Subject};
use crate::{finding::Finding, in_force::InForce, resource::Resource, surroundings::Surroundings};

/// A rule over a resource among others.
#[derive(Clone, Copy, Debug)]
struct Rule {
    id: &'static str,
    check: fn(&Known, &Subject, &mut Out),
}

impl Rule {
    const fn new(id: &'static str, check: fn(&Known, &Subject, &mut Out)) -> Self {
        Self { id, check }
    }
}

const TABLES: [&[Rule]; 10] = [
    destinations::RULES,
    foreign::RULES,
    subsets::RULES,
    duplicates::RULES,
    one_for_each::RULES,
    gateways::RULES,
    gateway_api::RULES,
    public_hosts::RULES,
    selectors::RULES,
    tokens::RULES,
];

/// Checks resources among each other: the number of a resource, and what is wrong with it.
pub fn check_all(
    resources: &[&Resource],
    in_force: &InForce,
    surroundings: &Surroundings,
) -> Vec<(usize, Finding)> {
    let mut in_order: Vec<_> = (0..).zip(resources.iter().copied()).collect();
    in_order.sort_by_key(|(_, resource)| resource.order());
    let (numbers, resources): (Vec<usize>, Vec<_>) = in_order.into_iter().unzip();
    let known = Known::new(&resources, in_force, surroundings);
    let mut all = Vec::new();
    for (number, subject) in numbers.into_iter().zip(known.subjects()) {
        let mut found = Vec::new();
        for rule in TABLES.into_iter().flatten() {
            (rule.check)(&known, subject, &mut Out::new(rule.id, &mut found));
        }
        all.extend(found.into_iter().map(|finding| (number, finding)));
    }
    all
}

/// The ids of its rules.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().flatten().map(|rule| rule.id)
}
