//! The regexes of one file, each compiled once, and together within limits.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    automaton::{Automaton, WideMap},
    language::{Pattern, PatternError},
};

/// The most steps that the regexes of a file may take to compile: about a second.
const MAX_STEPS: usize = 100_000_000;

/// The regexes that have been read, by how they are written.
#[derive(Debug, Default)]
pub struct Patterns {
    known: RefCell<HashMap<String, Pattern>>,
    wide_maps: RefCell<HashSet<Arc<WideMap>>>,
    steps: Cell<usize>,
    size: Cell<usize>,
}

/// The error of a regex that is refused.
#[derive(Debug, thiserror::Error)]
pub enum RefusedPattern {
    #[error(transparent)]
    Itself(#[from] PatternError),
    #[error(
        "is one regex too many: those of a file take at most {} bytes and {MAX_STEPS} steps to compile; divide the file, or write `exact` or `prefix` where that will do",
        Automaton::MAX_TOTAL_SIZE
    )]
    TooMany,
}

impl Patterns {
    /// Reads a regex, as long as those of the file are not too large together.
    pub fn read(&self, written: &str) -> Result<Pattern, RefusedPattern> {
        if let Some(known) = self.known.borrow().get(written) {
            return Ok(known.clone());
        }
        if self.steps.get() > MAX_STEPS || self.size.get() > Automaton::MAX_TOTAL_SIZE {
            return Err(RefusedPattern::TooMany);
        }
        let pattern = Pattern::parse(written);
        let cost = pattern.as_ref().map_or_else(PatternError::cost, Pattern::cost);
        self.steps.set(self.steps.get().saturating_add(cost));
        let pattern = pattern?;
        self.size.set(self.size.get().saturating_add(self.size_of_new(&pattern)));
        self.known.borrow_mut().insert(written.to_owned(), pattern.clone());
        Ok(pattern)
    }

    /// The steps that it took to compile all of them.
    pub fn steps(&self) -> usize {
        self.steps.get()
    }

    /// The memory that a regex takes besides those that are known, in bytes.
    fn size_of_new(&self, pattern: &Pattern) -> usize {
        let map = pattern.wide_map();
        let is_new = self.wide_maps.borrow_mut().insert(Arc::clone(map));
        pattern.size() + if is_new { map.size() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Automaton, MAX_STEPS, Patterns, RefusedPattern};

    #[test]
    fn what_is_written_again_is_not_compiled_again() {
        let patterns = Patterns::default();
        let first = patterns.read("a+").unwrap();
        let (steps, size) = (patterns.steps.get(), patterns.size.get());
        assert!(steps > 0 && size > 0);
        assert_eq!(patterns.read("a+").unwrap(), first);
        assert_eq!((patterns.steps.get(), patterns.size.get()), (steps, size));
        patterns.read("a*").unwrap();
        assert!(patterns.steps.get() > steps);
    }

    #[test]
    fn a_file_has_room_for_so_many() {
        for (steps, size) in [(MAX_STEPS, 0), (0, Automaton::MAX_TOTAL_SIZE)] {
            let patterns = Patterns::default();
            patterns.steps.set(steps);
            patterns.size.set(size);
            patterns.read("a+").unwrap();
            assert!(matches!(patterns.read("b+"), Err(RefusedPattern::TooMany)));
            assert!(patterns.read("a+").is_ok(), "it is there already");
        }
    }

    #[test]
    fn maps_of_unicode_classes_are_shared_and_count_once() {
        let patterns = Patterns::default();
        let first = patterns.read(r"^\w{3}-1").unwrap();
        let with_map = patterns.size.get();
        assert!(with_map > 4_000, "{with_map}");
        let second = patterns.read(r"^\w{3}-2").unwrap();
        assert!(std::sync::Arc::ptr_eq(first.wide_map(), second.wide_map()));
        assert_eq!(patterns.size.get() - with_map, second.size());
        patterns.read(r"^[\w&&[^é]]{3}").unwrap();
        assert!(patterns.size.get() > 2 * 4_000, "another map counts too");
    }

    #[test]
    fn what_is_refused_counts_too() {
        let patterns = Patterns::default();
        assert!(matches!(patterns.read("(?:(?:a{300}){300}){300}"), Err(RefusedPattern::Itself(_))));
        assert!(patterns.steps.get() > MAX_STEPS / 10 && patterns.size.get() == 0);
    }
}
