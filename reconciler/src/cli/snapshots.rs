//! Listings as they are printed, kept in the files of `snapshots`, which `HFI_SNAPSHOTS=1` writes anew.

use std::{env, fs, path::Path};

use super::{table::Table, terminal::Terminal};

pub(crate) const PIPE: Terminal = Terminal { has_colours: false, width: None };
/// With `NO_COLOR`.
pub(crate) const EIGHTY: Terminal = Terminal { has_colours: false, width: Some(80) };
const COLOURED: Terminal = Terminal { has_colours: true, width: Some(80) };

/// Compares a table with its file: in a pipe, in 80 columns with and without colours, and wide.
#[track_caller]
pub(crate) fn table_is_as_in(file: &str, table: impl Fn(bool) -> Table) {
    let narrow = at_each_terminal(|terminal| table(false).render(terminal));
    is_as_in(file, &format!("{narrow}== wide, in a pipe\n{}", table(true).render(PIPE)));
}

/// Compares a text with its file: in a pipe, and in 80 columns with and without colours.
#[track_caller]
pub(crate) fn text_is_as_in(file: &str, text: impl Fn(Terminal) -> String) {
    is_as_in(file, &at_each_terminal(text));
}

fn at_each_terminal(text: impl Fn(Terminal) -> String) -> String {
    let terminals =
        [("in a pipe", PIPE), ("80 columns, NO_COLOR", EIGHTY), ("80 columns, coloured", COLOURED)];
    let shown = terminals.map(|(name, terminal)| format!("== {name}\n{}", text(terminal)));
    shown.concat().replace('\u{1b}', "␛")
}

/// Compares a text with a file.
#[track_caller]
pub(crate) fn is_as_in(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/snapshots").join(file);
    if env::var_os("HFI_SNAPSHOTS").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{file}");
}

/// Checks that a table of a thousand such rows has a line for each, none longer than 80 columns, and loses nothing in
/// a pipe.
#[track_caller]
pub(crate) fn a_thousand_rows_keep_their_columns(table: impl Fn(bool) -> Table) {
    let one = table(false);
    let rows = one.rows.iter().cycle().take(1_000).cloned().collect();
    let many = Table { headings: one.headings, rows };
    let (eighty, pipe) = (many.render(EIGHTY), many.render(PIPE));
    assert_eq!((eighty.lines().count(), pipe.lines().count()), (1_001, 1_001));
    let width = |line: &str| unicode_width::UnicodeWidthStr::width(line);
    assert!(eighty.lines().all(|line| width(line) <= 80), "{}", eighty.lines().nth(1).unwrap());
    let whole: Vec<_> = one.render(PIPE).lines().skip(1).map(str::to_owned).collect();
    assert!(pipe.lines().skip(1).zip(whole.iter().cycle()).all(|(line, one)| line == one));
}
