//! The reason why a file is not edited in place.

use super::text::line_number;

/// A file that cannot be edited as is wanted, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} cannot be edited in place: {reason}; edit by hand, or rewrite the document")]
pub struct CannotEdit {
    /// Where, from 1.
    pub line: u32,
    /// The reason, a clause about the document.
    pub reason: String,
}

impl CannotEdit {
    pub(super) fn at(text: &str, at: usize, reason: impl Into<String>) -> Self {
        Self { line: line_number(text, at), reason: reason.into() }
    }

    /// The same, in the text that has these lines before.
    pub(super) fn moved(mut self, lines_before: u32) -> Self {
        self.line += lines_before;
        self
    }
}
