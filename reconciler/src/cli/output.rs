//! The output formats of commands.

use clap::{
    ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde::Serialize;

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[value(alias = "text")]
    Table,
    Json,
    Yaml,
    /// Annotations of a GitHub workflow
    Github,
}

impl Output {
    /// The formats of commands that have no annotations.
    pub fn lists() -> impl TypedValueParser<Value = Self> {
        let lists = [Self::Table, Self::Json, Self::Yaml];
        let names = lists.iter().filter_map(Self::to_possible_value);
        PossibleValuesParser::new(names).try_map(|name| Self::from_str(&name, false))
    }

    /// `value` as JSON or YAML; `text` in the other formats.
    pub fn render(self, value: &impl Serialize, text: impl FnOnce() -> String) -> String {
        // Texts and numbers can always be written.
        match self {
            Self::Table | Self::Github => text(),
            Self::Json => serde_json::to_string_pretty(value).unwrap_or_default() + "\n",
            Self::Yaml => serde_yaml::to_string(value).unwrap_or_default(),
        }
    }
}
