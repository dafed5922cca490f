//! The table of an automaton, and its search.

use std::sync::Arc;

use super::{
    class_map::ClassMap,
    rows::{ENDS, MATCH, REJECT, Rows},
};

/// The cost of a character beyond ASCII, besides its bytes: its class has to be searched for.
const COST_OF_WIDE: usize = 6;

/// A deterministic automaton over characters, which finds a regex anywhere in a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Automaton {
    classes: Arc<ClassMap>,
    start: u16,
    /// The next state by state and class, a row for each state from the third on. A row ends with the state
    /// that follows if the value ends: [`MATCH`] or [`REJECT`].
    cells: Box<[u16]>,
}

impl Automaton {
    /// The most bytes of all tables of a snapshot.
    pub(crate) const MAX_TOTAL_SIZE: usize = 4 * 1024 * 1024;

    /// An automaton of these rows, which have a column for each class. `None` if rows are missing, or if the
    /// first state is not there.
    pub(crate) fn new(classes: Arc<ClassMap>, start: u16, rows: Rows) -> Option<Self> {
        let is_state = usize::from(start) < rows.states();
        let cells = rows.into_cells(classes.columns())?;
        is_state.then_some(Self { classes, start, cells })
    }

    /// True if the regex fits something in the value, and the cost to know it, which is about the number of
    /// bytes that were read.
    pub(crate) fn finds(&self, value: &[u8]) -> (bool, usize) {
        let classes = &*self.classes;
        let (mut state, mut rest, mut wide) = (self.start, value, 0);
        let columns = classes.columns();
        while state >= ENDS {
            let class = match rest.split_first() {
                Some((first, after)) => match classes.of_ascii(*first) {
                    Some(class) => {
                        rest = after;
                        class
                    }
                    None => {
                        wide += 1;
                        let (class, after) = classes.read_wide(*first, after);
                        rest = after;
                        class
                    }
                },
                None => classes.end(),
            };
            let row = usize::from(state - ENDS) * columns;
            // Every cell that is asked for is there: `Rows` has no state without a row.
            state = self.cells.get(row + usize::from(class)).copied().unwrap_or(REJECT);
        }
        (state == MATCH, value.len() - rest.len() + wide * COST_OF_WIDE)
    }

    pub(crate) fn classes(&self) -> &Arc<ClassMap> {
        &self.classes
    }

    /// The state in which a search begins.
    pub(crate) fn start(&self) -> u16 {
        self.start
    }

    /// The rows of the states from the third on.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &[u16]> + ExactSizeIterator + Clone {
        self.cells.chunks_exact(self.classes.columns())
    }

    /// The size of its table in a proxy, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&*self.cells)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Automaton, ClassMap, MATCH, REJECT, Rows};
    use crate::automaton::WideMap;

    /// Two classes: `a`, and all other characters and bytes.
    fn classes() -> Arc<ClassMap> {
        let wide = Arc::new(WideMap::new(&[(128, 0)]).unwrap());
        ClassMap::new(&[(0, 0), (97, 1), (98, 0)], wide, &[0], 0).unwrap().into()
    }

    fn automaton(start: u16, rows: &[[u16; 3]]) -> Option<Automaton> {
        let mut all = Rows::with_room(rows.len(), 3)?;
        rows.iter().try_for_each(|row| all.add(row))?;
        Automaton::new(classes(), start, all)
    }

    #[test]
    fn a_search_ends_with_the_first_match_or_when_there_can_be_none() {
        // `^aa`
        let two = automaton(2, &[[0, 3, 0], [0, 1, 0]]).unwrap();
        assert_eq!(two.finds(b"aaaa"), (true, 2));
        assert_eq!(two.finds(b"baaa"), (false, 1));
        assert_eq!(two.finds(b"a"), (false, 1));
        // `a$`
        let last = automaton(2, &[[2, 3, 0], [2, 3, 1]]).unwrap();
        assert_eq!(last.finds("ba€a".as_bytes()), (true, 12));
        assert_eq!(last.finds(b"ab"), (false, 2));
        for (start, found) in [(MATCH, true), (REJECT, false)] {
            assert_eq!(automaton(start, &[]).unwrap().finds(b"a"), (found, 0));
        }
    }

    #[test]
    fn rows_that_do_not_fit_are_no_automaton() {
        assert_eq!(automaton(2, &[]), None, "no first state");
        let one = Rows::with_room(2, 3).and_then(|mut rows| rows.add(&[0, 0, 0]).map(|()| rows)).unwrap();
        assert_eq!(Automaton::new(classes(), 2, one), None, "one row of two");
        let narrow = Rows::with_room(3, 2).and_then(|mut rows| {
            (0..3).try_for_each(|_| rows.add(&[0, 0]))?;
            Some(rows)
        });
        assert_eq!(Automaton::new(classes(), 2, narrow.unwrap()), None, "rows of other columns");
    }
}
