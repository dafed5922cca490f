//! The texts that `hfi reference` prints. Tests compare their tables with the code.

use clap::ValueEnum;

const SERVE: &str = include_str!("../REFERENCE.md");
const FILTER: &str = include_str!("../../filter/REFERENCE.md");

/// A subject of `hfi reference`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// The policy language
    Policies,
    /// Options, HTTP routes, limits and metrics of `hfi serve`
    Serve,
    /// Configuration, headers and stats of the filter
    Filter,
}

impl Subject {
    /// The reference of this subject.
    pub fn text(self) -> &'static str {
        match self {
            Self::Policies => policies::REFERENCE,
            Self::Serve => SERVE,
            Self::Filter => FILTER,
        }
    }
}

/// The rows of all tables in one section of the reference of `hfi serve`, without the lines above them.
#[cfg(test)]
pub(crate) fn rows(section: &str) -> Vec<Vec<String>> {
    let (_, text) = SERVE.split_once(&format!("\n## {section}\n")).expect("the section is there");
    let text = text.split_once("\n## ").map_or(text, |(text, _)| text);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.skip(1).map(|row| row.split(" | ").map(str::to_owned).collect()).collect()
}
