//! Findings in their files.

use std::{fmt, sync::Arc};

use policies::reading::Place;

use crate::finding::{Finding, Level};

/// The id of what is said of applications that are held.
pub(super) const HELD: &str = "APP24";

/// A finding, and the file that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedFinding {
    pub file: Arc<str>,
    pub finding: Finding,
}

impl LocatedFinding {
    pub(super) fn new(file: &Arc<str>, finding: Finding) -> Self {
        Self { file: Arc::clone(file), finding }
    }

    pub(super) fn order(&self) -> (&str, Place, &str, Level, &str) {
        let Finding { at, field, level, reason, .. } = &self.finding;
        (&self.file, *at, field, *level, reason)
    }
}

impl fmt::Display for LocatedFinding {
    /// `file:line:column: field: reason; what would be right [rule]`, as compilers print it. An application that is held,
    /// and in force alone, has no file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_empty() {
            return self.finding.fmt(f);
        }
        write!(f, "{}:", self.file)?;
        let Place { line, column } = self.finding.at;
        if line > 0 {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.finding)
    }
}
