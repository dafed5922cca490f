//! The rows of a table while it is made.

/// The state in which no match can come any more.
pub(crate) const REJECT: u16 = 0;

/// The state in which something has matched.
pub(crate) const MATCH: u16 = 1;

/// The number of states that have no row: a search ends in them.
pub(super) const ENDS: u16 = 2;

/// The most cells of a table.
pub(crate) const MAX_CELLS: usize = 64 * 1024;

/// Rows that are added one after the other. No cell ever names a state that is not there, and no state goes on
/// after the end of the value.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: usize,
    /// The number of rows that there will be.
    rows: usize,
    cells: Vec<u16>,
}

impl Rows {
    /// Room for so many rows; `None` if they are too many for a table.
    pub(crate) fn with_room(rows: usize, columns: usize) -> Option<Self> {
        let cells = rows.checked_mul(columns).filter(|cells| *cells <= MAX_CELLS)?;
        Some(Self { columns, rows, cells: Vec::with_capacity(cells) })
    }

    /// Adds a row like that of a state: of one of the two ends, or of one whose row is there. `None` if there is no
    /// such row, or no more room.
    pub(crate) fn add_like(&mut self, state: u16) -> Option<()> {
        let columns = self.columns;
        let next = self.cells.len() + columns;
        if next > self.rows * columns {
            return None;
        }
        match state {
            REJECT | MATCH => self.cells.resize(next, state),
            state => {
                let begin = usize::from(state - ENDS) * columns;
                let like = begin..begin + columns;
                self.cells.get(like.clone())?;
                self.cells.extend_from_within(like);
            }
        }
        Some(())
    }

    /// Sets a cell of the last row. `None` if there is no such column or state, or if the search would go on after
    /// the end of the value.
    pub(crate) fn set(&mut self, column: usize, target: u16) -> Option<()> {
        let is_last = column + 1 == self.columns;
        let targets = if is_last { ENDS.into() } else { self.states() };
        if column >= self.columns || usize::from(target) >= targets {
            return None;
        }
        let row = self.cells.len().checked_sub(self.columns)?;
        *self.cells.get_mut(row + column)? = target;
        Some(())
    }

    /// Adds a row of these cells.
    #[cfg(any(feature = "authoring", test))]
    pub(crate) fn add(&mut self, row: &[u16]) -> Option<()> {
        self.add_like(REJECT)?;
        row.iter().enumerate().try_for_each(|(column, target)| self.set(column, *target))
    }

    /// The number of states, with the two that have no row.
    pub(super) fn states(&self) -> usize {
        self.rows + usize::from(ENDS)
    }

    /// All cells; `None` if rows are missing, or have another number of columns.
    pub(super) fn into_cells(self, columns: usize) -> Option<Box<[u16]>> {
        let is_whole = self.columns == columns && self.cells.len() == self.rows * columns;
        is_whole.then(|| self.cells.into_boxed_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_CELLS, Rows};

    #[test]
    fn a_row_is_like_one_before_but_for_what_is_set() {
        let mut rows = Rows::with_room(3, 3).unwrap();
        rows.add_like(1).unwrap();
        rows.set(0, 4).unwrap();
        rows.add_like(2).unwrap();
        rows.set(1, 3).unwrap();
        rows.add_like(0).unwrap();
        assert_eq!(&*rows.into_cells(3).unwrap(), [4, 1, 1, 4, 3, 1, 0, 0, 0]);
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        let mut rows = Rows::with_room(2, 3).unwrap();
        assert_eq!(rows.set(0, 0), None, "no row yet");
        assert_eq!(rows.add_like(2), None, "like itself");
        rows.add_like(0).unwrap();
        assert_eq!(rows.add_like(3), None, "like a later one");
        assert_eq!(rows.set(0, 4), None, "no such state");
        assert_eq!(rows.set(3, 0), None, "no such column");
        assert_eq!(rows.set(2, 2), None, "it goes on after the end of the value");
        rows.set(0, 3).unwrap();
        rows.set(2, 1).unwrap();
        rows.add_like(2).unwrap();
        assert_eq!(rows.add_like(0), None, "more than there is room for");
    }

    #[test]
    fn a_table_has_a_limit() {
        let most = MAX_CELLS / 2;
        assert!(Rows::with_room(most, 2).is_some());
        for (rows, columns) in [(most + 1, 2), (1, MAX_CELLS + 1), (usize::MAX, 2)] {
            assert!(Rows::with_room(rows, columns).is_none(), "{rows} {columns}");
        }
    }
}
