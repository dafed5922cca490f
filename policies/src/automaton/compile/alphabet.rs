//! The characters that a regex does not tell apart, as one class.

use std::collections::HashMap;

use super::{
    budget::{Budget, Excess},
    look::{Kind, Kinds},
    nfa::Ranges,
};

/// The classes that the sets of a regex divide all characters into. The last class is that of bytes which
/// are not UTF-8.
#[derive(Debug)]
pub(super) struct Alphabet {
    /// The first code point of each range, ascending from 0, and its class.
    pub(super) ranges: Vec<(u32, u32)>,
    pub(super) classes: Vec<Class>,
    /// The classes of each set.
    pub(super) members: Vec<Vec<u32>>,
}

/// A class of characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    pub(super) kind: Kind,
    /// True if its characters are more than one byte, which an ASCII boundary can lie between.
    pub(super) has_inside: bool,
}

impl Alphabet {
    /// The classes of these sets of characters, and of these kinds of them.
    pub(super) fn new(sets: &[Ranges], kinds: Kinds, budget: &mut Budget) -> Result<Self, Excess> {
        let kind_sets = kinds.sets();
        let all = || sets.iter().chain(&kind_sets);
        let bounds = all().flatten().flat_map(|(first, last)| [*first, last + 1]);
        let mut starts: Vec<_> = bounds.chain([0]).filter(|start| *start <= u32::from(char::MAX)).collect();
        starts.sort_unstable();
        starts.dedup();
        budget.spend(starts.len())?;

        let mut of_ranges = vec![0; starts.len()];
        let mut next = 1;
        for set in all() {
            // The part of each class that is in the set becomes a class of its own.
            let (mut inner, mut last_split) = (HashMap::new(), (u32::MAX, 0));
            for (first, last) in set {
                let covered = covered(&starts, *first, *last, &mut of_ranges);
                budget.spend(covered.len())?;
                for class in covered {
                    // Ranges of one class mostly come in a row.
                    if last_split.0 != *class {
                        let part = *inner.entry(*class).or_insert(next);
                        next = next.max(part + 1);
                        last_split = (*class, part);
                    }
                    *class = last_split.1;
                }
            }
        }

        let mut numbers = HashMap::new();
        let mut classes = Vec::new();
        for (start, class) in starts.iter().zip(&mut of_ranges) {
            let found = Class { kind: kinds.kind(*start), has_inside: kinds.inside && *start > 127 };
            *class = *numbers.entry(*class).or_insert_with(|| {
                classes.push(found);
                classes.len() as u32 - 1
            });
        }
        classes.push(Class { kind: kinds.invalid(), has_inside: false });
        let mut members = Vec::with_capacity(sets.len());
        for set in sets {
            let mut of_set = Vec::new();
            for (first, last) in set {
                let covered = covered(&starts, *first, *last, &mut of_ranges);
                budget.spend(covered.len())?;
                of_set.extend_from_slice(covered);
            }
            of_set.sort_unstable();
            of_set.dedup();
            members.push(of_set);
        }
        Ok(Self { ranges: starts.into_iter().zip(of_ranges).collect(), classes, members })
    }

    pub(super) fn class(&self, number: u32) -> Option<&Class> {
        self.classes.get(number as usize)
    }

    /// The kinds of all classes.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<_> = self.classes.iter().map(|class| class.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// The classes of a set.
    pub(super) fn members(&self, set: usize) -> &[u32] {
        self.members.get(set).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The classes of the ranges from one code point to another, both of which are bounds of ranges.
fn covered<'c>(starts: &[u32], first: u32, last: u32, classes: &'c mut [u32]) -> &'c mut [u32] {
    let from = starts.partition_point(|start| *start < first);
    let to = starts.partition_point(|start| *start <= last);
    classes.get_mut(from..to).unwrap_or_default()
}
