//! The table of an automaton, and its search.

use super::class_map::ClassMap;

/// The state in which no match can come any more.
pub(crate) const REJECT: u16 = 0;

/// The state in which something has matched.
pub(crate) const MATCH: u16 = 1;

/// The cost of a character beyond ASCII, besides its bytes: its class has to be searched for.
const COST_OF_WIDE: usize = 6;

/// The number of states that have no row: the search ends in them.
pub(super) const ENDS: u16 = 2;

/// A deterministic automaton over characters, which finds a regex anywhere in a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Automaton {
    classes: ClassMap,
    start: u16,
    /// The next state by state and class, a row for each state from the third on. A row ends with the state
    /// that follows if the value ends: [`MATCH`] or [`REJECT`].
    cells: Box<[u16]>,
}

impl Automaton {
    /// The most cells of a table.
    pub(crate) const MAX_CELLS: usize = 64 * 1024;

    /// The most bytes of all tables of a snapshot.
    pub(crate) const MAX_TOTAL_SIZE: usize = 4 * 1024 * 1024;

    /// An automaton of these rows. `None` if they are not whole, or name a state that is not there.
    pub(crate) fn new(classes: ClassMap, start: u16, cells: Vec<u16>) -> Option<Self> {
        let automaton = Self { classes, start, cells: cells.into() };
        let rows = automaton.cells.chunks_exact(automaton.columns());
        let (is_whole, states) = (rows.remainder().is_empty(), rows.len() + usize::from(ENDS));
        let is_state = |state: &u16| usize::from(*state) < states;
        let ends = |row: &[u16]| row.last().is_some_and(|end| *end < ENDS);
        let fits = automaton.cells.len() <= Self::MAX_CELLS && is_whole;
        let are_states = is_state(&start) && automaton.cells.iter().all(is_state);
        (fits && are_states && automaton.rows().all(ends)).then_some(automaton)
    }

    /// True if the regex fits something in the value, and the cost to know it, which is about the number of
    /// bytes that were read.
    pub(crate) fn finds(&self, value: &[u8]) -> (bool, usize) {
        let (mut state, mut rest, mut wide) = (self.start, value, 0);
        let columns = self.columns();
        while state >= ENDS {
            let class = match rest.split_first() {
                Some((first, after)) => match self.classes.of_ascii(*first) {
                    Some(class) => {
                        rest = after;
                        class
                    }
                    None => {
                        wide += 1;
                        let (class, after) = self.classes.read_wide(*first, after);
                        rest = after;
                        class
                    }
                },
                None => self.classes.count(),
            };
            let row = usize::from(state - ENDS) * columns;
            // Every cell that is asked for is there, as `new` has made sure.
            state = self.cells.get(row + usize::from(class)).copied().unwrap_or(REJECT);
        }
        (state == MATCH, value.len() - rest.len() + wide * COST_OF_WIDE)
    }

    pub(crate) fn classes(&self) -> &ClassMap {
        &self.classes
    }

    /// The state in which a search begins.
    pub(crate) fn start(&self) -> u16 {
        self.start
    }

    /// The rows of the states from the third on.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &[u16]> + ExactSizeIterator + Clone {
        self.cells.chunks_exact(self.columns())
    }

    /// The size of its table in a proxy, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&*self.cells)
    }

    /// The length of a row: a column for each class, and one for the end of the value.
    fn columns(&self) -> usize {
        usize::from(self.classes.count()) + 1
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Automaton, ClassMap, MATCH, REJECT};
    use crate::automaton::WideMap;

    /// Two classes: `a`, and all other characters and bytes.
    fn classes() -> ClassMap {
        let wide = Arc::new(WideMap::new(vec![(128, 0)]).unwrap());
        ClassMap::new(&[(0, 0), (97, 1), (98, 0)], wide, vec![0], 0).unwrap()
    }

    #[test]
    fn a_search_ends_with_the_first_match_or_when_there_can_be_none() {
        // `^aa`
        let automaton = Automaton::new(classes(), 2, vec![0, 3, 0, 0, 1, 0]).unwrap();
        assert_eq!(automaton.finds(b"aaaa"), (true, 2));
        assert_eq!(automaton.finds(b"baaa"), (false, 1));
        assert_eq!(automaton.finds(b"a"), (false, 1));
        // `a$`
        let automaton = Automaton::new(classes(), 2, vec![2, 3, 0, 2, 3, 1]).unwrap();
        assert_eq!(automaton.finds("ba€a".as_bytes()), (true, 12));
        assert_eq!(automaton.finds(b"ab"), (false, 2));
        for (start, found) in [(MATCH, true), (REJECT, false)] {
            assert_eq!(Automaton::new(classes(), start, Vec::new()).unwrap().finds(b"a"), (found, 0));
        }
    }

    #[test]
    fn a_table_that_leads_nowhere_is_no_automaton() {
        for (start, cells) in [
            (2, vec![]),
            (2, vec![0, 0]),
            (2, vec![0, 3, 0]),
            (2, vec![0, 0, 2]),
            (2, vec![0; Automaton::MAX_CELLS + 2]),
        ] {
            assert_eq!(Automaton::new(classes(), start, cells.clone()), None, "{start} {}", cells.len());
        }
    }
}
