//! Trials that find the namespaces at fault where something in force is broken.
//!
//! Nobody knows which change breaks it. So namespaces are tried: some of them stay as they are, and all is checked again.
//! They have numbers, and each bit of the numbers divides them into two groups, of which each is tried. Any two namespaces
//! differ in a bit, so each one is tried without each other one. What stays broken in a trial with its namespace is broken
//! by others, and cannot be cured. What is mended in each trial with its namespace, and in none without it, is broken by a
//! part of its namespace, unless several others mend it in turn, and all such namespaces are at fault at once.
//!
//! The checks for `n` namespaces are at most `2 * ⌈log2 n⌉`, or one where there is one, and [`ALONE`] more where several
//! namespaces each mend the same. After [`LAST`] checks of all there is one trial of all namespaces together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Beside, LAST, MOST,
    members::{AllBroken, Broken, Members},
};
use crate::catalog::Catalog;

/// The most namespaces that are tried each alone, where none is at fault for certain. All of more stay as they are.
const ALONE: usize = 4;

/// For each namespace at fault something that is mended where all of it stays as it is. `pass` counts the checks of all.
pub(super) fn at_fault<'b>(
    catalog: &Catalog,
    broken: &'b AllBroken,
    pass: usize,
    beside: &Beside<'_>,
) -> BTreeMap<&'b str, (&'b Broken, &'b str)> {
    let names: BTreeSet<&str> = broken.keys().map(|key| key.namespace.as_str()).collect();
    // The value is false for what is mended without its namespace, too.
    let mut suspects: BTreeMap<_, _> = broken.keys().map(|key| (key, true)).collect();
    let together = || vec![names.iter().map(|name| (*name).to_owned()).collect()];
    for group in if pass >= LAST { together() } else { groups(&names).collect() } {
        if suspects.is_empty() {
            break;
        }
        let left = left(catalog, &group, beside);
        suspects.retain(|key, is_alone| {
            let (is_cured, is_in) = (!left.contains_key(*key), group.contains(&key.namespace));
            *is_alone &= is_in || !is_cured;
            is_cured || !is_in
        });
    }
    let named = |key: &'b Broken| {
        let reason = broken.get(key).map(String::as_str).unwrap_or_default();
        (key.namespace.as_str(), (key, reason))
    };
    let certain = suspects.iter().filter(|(_, is_alone)| **is_alone);
    // The first one of each namespace.
    let certain: BTreeMap<_, _> = certain.rev().map(|(key, _)| named(key)).collect();
    if !certain.is_empty() {
        return certain;
    }
    let names: BTreeSet<&str> = suspects.keys().map(|key| key.namespace.as_str()).collect();
    if names.len() > ALONE || pass >= MOST {
        return suspects.keys().rev().map(|key| named(key)).collect();
    }
    let alone = names.into_iter().find_map(|namespace| {
        let left = left(catalog, &[namespace.to_owned()].into(), beside);
        suspects.keys().find(|key| key.namespace == namespace && !left.contains_key(*key))
    });
    alone.map(|key| named(key)).into_iter().collect()
}

/// The halves of all namespaces by each bit of their numbers.
fn groups(names: &BTreeSet<&str>) -> impl Iterator<Item = BTreeSet<String>> {
    let bits = names.len().next_power_of_two().trailing_zeros().max(1);
    let half = move |bit: u32, is_set: bool| {
        let names = (0_usize..).zip(names).filter(move |(number, _)| (number >> bit & 1 == 1) == is_set);
        names.map(|(_, name)| (*name).to_owned()).collect::<BTreeSet<_>>()
    };
    let halves = (0..bits).flat_map(move |bit| [false, true].map(|is_set| half(bit, is_set)));
    halves.filter(|group| !group.is_empty())
}

/// What is broken where these namespaces stay as they are.
fn left(catalog: &Catalog, frozen: &BTreeSet<String>, beside: &Beside<'_>) -> AllBroken {
    Members::of(catalog, beside, frozen).check(beside).1
}
