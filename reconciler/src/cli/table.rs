//! Tables with one line for each row.

use unicode_width::UnicodeWidthChar as _;

use super::terminal::{Colour, Terminal};
use crate::printable::printable;

/// Columns with their headings, and rows.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) headings: &'static [&'static str],
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A text that is safe for a terminal, and its colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    /// A cell; an empty text becomes `-`, so that columns can be counted.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let text = if text.is_empty() { "-".to_owned() } else { printable(text).into_owned() };
        Self { text, colour: None }
    }

    pub(crate) fn painted(text: impl AsRef<str>, colour: Colour) -> Self {
        Self { colour: Some(colour), ..Self::new(text) }
    }
}

/// The widths of the columns of a table.
#[derive(Debug)]
pub(crate) struct Widths(Vec<usize>);

impl Table {
    pub(crate) fn widths(&self) -> Widths {
        let mut widths: Vec<_> = self.headings.iter().map(|heading| width(heading)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = self::width(&cell.text).max(*width);
            }
        }
        Widths(widths)
    }

    /// The headings and the rows.
    pub(crate) fn render(&self, terminal: Terminal) -> String {
        let widths = self.widths();
        let headings: Vec<_> = self.headings.iter().map(Cell::new).collect();
        let rows = self.rows.iter().map(|row| widths.line(row, terminal));
        std::iter::once(widths.line(&headings, terminal)).chain(rows).collect()
    }
}

impl Widths {
    /// A row as a line. On a terminal that is too narrow its end is cut, which `…` shows.
    pub(crate) fn line(&self, row: &[Cell], terminal: Terminal) -> String {
        let too_narrow = terminal.width.filter(|width| self.length(row) > *width);
        let mut left = too_narrow.map_or(usize::MAX, |width| width.saturating_sub(1));
        let mut line = String::new();
        for (at, (cell, column)) in row.iter().zip(&self.0).enumerate() {
            let text = start(&cell.text, left);
            left -= width(text);
            line += &terminal.paint(text, cell.colour);
            if at + 1 < row.len() {
                let gap = gap(width(text), *column).min(left);
                line += &" ".repeat(gap);
                left -= gap;
            }
        }
        line + if too_narrow.is_some() { "…\n" } else { "\n" }
    }

    /// The columns that a row takes.
    fn length(&self, row: &[Cell]) -> usize {
        let mut cells = row.iter().zip(&self.0).map(|(cell, column)| (width(&cell.text), *column));
        let padded = cells.clone().map(|(text, column)| text + gap(text, column)).sum::<usize>();
        padded - cells.next_back().map_or(0, |(text, column)| gap(text, column))
    }
}

/// The columns that a text takes.
fn width(text: &str) -> usize {
    text.chars().filter_map(|c| c.width()).sum()
}

/// The blanks after a text in a column.
fn gap(text: usize, column: usize) -> usize {
    column.saturating_sub(text) + 2
}

/// As much of the text as there are columns for.
fn start(text: &str, mut columns: usize) -> &str {
    let end = text.char_indices().find(|(_, c)| {
        let width = c.width().unwrap_or(0);
        let fits = width <= columns;
        columns = columns.saturating_sub(width);
        !fits
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{Cell, Colour, Table, Terminal};

    const NARROW: Terminal = Terminal { has_colours: false, width: Some(20) };

    fn table() -> Table {
        let row = |name: &str, note: &str| {
            vec![Cell::new(name), Cell::painted("active", Colour::Good), Cell::new(note)]
        };
        Table {
            headings: &["NAME", "STATE", "NOTE"],
            rows: vec![row("a", ""), row("checkout-errors", "文 \u{1b}[31m")],
        }
    }

    #[test]
    fn columns_are_two_blanks_apart_and_nothing_is_obeyed() {
        let whole = "NAME             STATE   NOTE\na                active  -\ncheckout-errors  active  文 \\u001b[31m\n";
        assert_eq!(table().render(Terminal::default()), whole);
    }

    #[test]
    fn a_narrow_terminal_gets_one_line_for_each_row() {
        let narrow = "NAME             ST…\na                ac…\ncheckout-errors  ac…\n";
        assert_eq!(table().render(NARROW), narrow);
    }

    #[test]
    fn colours_take_no_place() {
        let painted = table().render(Terminal { has_colours: true, width: None });
        let plain = painted.replace("\u{1b}[32m", "").replace("\u{1b}[0m", "");
        assert_eq!(plain, table().render(Terminal::default()));
        assert!(painted.contains("\u{1b}[32mactive\u{1b}[0m"), "{painted}");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_its_terminal(
            rows in vec(vec(".{0,30}", 3), 0..5), width in 1..100_usize, has_colours: bool,
        ) {
            let rows = rows.iter().map(|row| row.iter().map(Cell::new).collect()).collect();
            let table = Table { headings: &["A", "B", "C"], rows };
            for line in table.render(Terminal { has_colours, width: Some(width) }).lines() {
                prop_assert!(super::width(&line.replace("\u{1b}[32m", "")) <= width, "{line:?}");
            }
        }
    }
}
