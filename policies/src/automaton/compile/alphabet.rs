//! The characters that a regex does not tell apart, as one class.

use std::collections::HashMap;

use super::{
    budget::{Budget, Excess},
    look::{Kind, Kinds},
    nfa::Ranges,
};

/// So many ranges are passed in the time of one step.
const STARTS_OF_STEP: usize = 16;

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
            budget.spend(set.len() + starts.len() / STARTS_OF_STEP)?;
            // The part of each class that is in the set becomes a class of its own.
            let (mut inner, mut last_split) = (HashMap::new(), (u32::MAX, 0));
            for class in of_set(&starts, set, &mut of_ranges) {
                // Ranges of one class mostly come in a row.
                if last_split.0 != *class {
                    let part = *inner.entry(*class).or_insert(next);
                    next = next.max(part + 1);
                    last_split = (*class, part);
                }
                *class = last_split.1;
            }
        }

        // In the order of their first ranges.
        let mut numbers = vec![None; next as usize];
        let mut classes = Vec::new();
        for (start, class) in starts.iter().zip(&mut of_ranges) {
            let Some(number) = numbers.get_mut(*class as usize) else { continue };
            *class = *number.get_or_insert_with(|| {
                classes.push(Class { kind: kinds.kind(*start), has_inside: kinds.inside && *start > 127 });
                classes.len() as u32 - 1
            });
        }
        classes.push(Class { kind: kinds.invalid(), has_inside: false });
        let mut members = Vec::with_capacity(sets.len());
        for set in sets {
            budget.spend(set.len() + starts.len() / STARTS_OF_STEP)?;
            let mut of_set: Vec<_> = of_set(&starts, set, &mut of_ranges).map(|class| *class).collect();
            of_set.sort_unstable();
            of_set.dedup();
            members.push(of_set);
        }
        Ok(Self { ranges: starts.into_iter().zip(of_ranges).collect(), classes, members })
    }

    /// The kind of a class.
    pub(super) fn kind(&self, class: u32) -> Option<Kind> {
        self.classes.get(class as usize).map(|class| class.kind)
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

/// The classes of the ranges that are in a set. Both ascend, and each range is in the set or outside.
fn of_set<'c>(
    starts: &'c [u32],
    set: &'c Ranges,
    classes: &'c mut [u32],
) -> impl Iterator<Item = &'c mut u32> {
    let mut set = set.iter().peekable();
    starts.iter().zip(classes).filter_map(move |(start, class)| {
        while set.next_if(|(_, last)| last < start).is_some() {}
        set.peek().is_some_and(|(first, _)| first <= start).then_some(class)
    })
}
