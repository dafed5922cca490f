//! The output formats of listings.

use clap::ValueEnum;
use serde::Serialize;

use super::{
    console::{print, print_styled},
    output::Output,
    table::Table,
    terminal::Terminal,
};

/// An output format of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListOutput {
    /// One line for each row, cut at the width of the terminal
    Table,
    /// A table with more columns, which is never cut
    Wide,
    Json,
    Yaml,
    /// Names only, such as `policy/checkout-errors`
    Name,
}

impl ListOutput {
    /// Prints a listing. The table gets `true` if it is to be wide.
    pub(crate) fn print(
        self,
        value: &impl Serialize,
        table: impl FnOnce(bool) -> Table,
        names: impl Iterator<Item = String>,
    ) {
        match self {
            Self::Table | Self::Wide => {
                print_styled(&table(self == Self::Wide).render(self.terminal()));
            }
            Self::Name => print(&names.map(|name| name + "\n").collect::<String>()),
            Self::Json => print(&Output::Json.render(value, String::new)),
            Self::Yaml => print(&Output::Yaml.render(value, String::new)),
        }
    }

    /// The terminal behind stdout. A wide table takes the width that it needs.
    pub(crate) fn terminal(self) -> Terminal {
        let terminal = Terminal::of_stdout();
        if self == Self::Wide { Terminal { width: None, ..terminal } } else { terminal }
    }
}
