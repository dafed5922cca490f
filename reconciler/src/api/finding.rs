//! Errors and warnings in files.

use policies::reading::{Place, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An error or a warning, and its place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// In characters, from 1; 0 is the whole file.
    pub column: u32,
    /// The path of the field, such as `spec.rules[0].fault.percentage`; empty for the whole document.
    pub field: String,
    /// The path of the file in the repository.
    pub file: String,
    /// From 1; 0 is the whole file.
    pub line: u32,
    /// The mistake and its correction, as a sentence without its subject.
    pub message: String,
}

impl From<&Problem> for Finding {
    fn from(Problem { file, finding }: &Problem) -> Self {
        let Place { line, column } = finding.place;
        Self {
            column,
            field: finding.field.clone(),
            file: file.to_string(),
            line,
            message: finding.message.clone(),
        }
    }
}
