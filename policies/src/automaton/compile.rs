//! The compiler: a regex becomes an automaton, or is refused.
//!
//! ```text
//! Hir ──▶ Nfa ──▶ Alphabet ──▶ RawTable ──▶ Automaton
//!         parts   classes      states        equal ones merged
//! ```
//!
//! An automaton can be exponentially larger than its regex. So every step counts, and what takes too many
//! is refused, with the nearest regex that does not.

mod alphabet;
mod budget;
mod closures;
mod dense;
mod look;
mod merge;
mod minimize;
mod nearest;
mod nfa;
mod shared_maps;
mod steps;
mod subsets;

use std::fmt;

use regex_syntax::hir::Hir;

use self::{
    alphabet::Alphabet,
    budget::{Budget, Excess, MAX_STEPS},
    look::Kinds,
    nfa::Nfa,
    subsets::RawTable,
};
use super::table::Automaton;

/// The most steps to find a regex that can be compiled, if one cannot.
const STEPS_OF_SEARCH: usize = 3 * MAX_STEPS;

/// The most steps that a regex takes, together with those to find one that takes fewer.
pub(crate) const MAX_COST: usize = MAX_STEPS + STEPS_OF_SEARCH;

/// The error of a regex that is refused because its automaton would be too large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooComplex {
    excess: Excess,
    /// The greatest count of its repetitions with which it can be compiled.
    count_that_fits: Option<u32>,
}

/// The automaton of a regex, and the steps that it took to compile it.
pub(crate) fn compile(hir: &Hir) -> Result<(Automaton, usize), TooComplex> {
    let mut budget = Budget::new(MAX_STEPS);
    match attempt(hir, &mut budget) {
        Ok(automaton) => Ok((automaton, MAX_STEPS - budget.left())),
        Err(excess) => Err(TooComplex { excess, count_that_fits: count_that_fits(hir) }),
    }
}

fn attempt(hir: &Hir, budget: &mut Budget) -> Result<Automaton, Excess> {
    let nfa = Nfa::new(hir, budget)?;
    let alphabet = Alphabet::new(&nfa.sets, Kinds::of(hir), budget)?;
    let table = RawTable::new(&nfa, &alphabet, budget)?;
    merge::merge(&table, &alphabet)
}

/// The greatest count of repetitions with which a regex can be compiled, by halves.
fn count_that_fits(hir: &Hir) -> Option<u32> {
    let mut left = STEPS_OF_SEARCH;
    let mut fits = |count| {
        let steps = left.min(MAX_STEPS);
        let mut budget = Budget::new(steps);
        let fits = attempt(&nearest::with_counts_up_to(hir, count), &mut budget).is_ok();
        left -= steps - budget.left();
        fits
    };
    // So that the search stays short, no greater counts are tried.
    let (mut most, mut least) = (nearest::greatest_count(hir).min(1024), 1);
    if most <= least || !fits(least) {
        return None;
    }
    while most - least > 1 {
        let middle = least.midpoint(most);
        if fits(middle) {
            least = middle;
        } else {
            most = middle;
        }
    }
    Some(least)
}

impl fmt::Display for TooComplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is too large a regex: {}; ", self.excess)?;
        match self.count_that_fits {
            Some(1) => f.write_str("without counts above 1 it can be compiled"),
            Some(count) => write!(f, "with counts of at most {count} it can be compiled"),
            None => f.write_str("match less, or divide it among several rules"),
        }
    }
}
