//! The forms that lists are printed in.

use clap::ValueEnum;
use serde::Serialize;

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Table,
    Json,
    Yaml,
}

impl Output {
    /// `value` for a machine, or else `table`.
    pub fn render(self, value: &impl Serialize, table: impl FnOnce() -> String) -> String {
        // What is printed is made of texts and numbers: it can always be written.
        match self {
            Self::Table => table(),
            Self::Json => serde_json::to_string_pretty(value).unwrap_or_default() + "\n",
            Self::Yaml => serde_yaml::to_string(value).unwrap_or_default(),
        }
    }
}
