//! Findings: what is wrong, where, by which rule, and what would be right.

use std::fmt;

use policies::reading::{self, Place};

/// The consequence of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The application is not rendered.
    Error,
    /// It is rendered, and may not do what was meant.
    Warning,
    /// Worth knowing; never part of a verdict.
    Notice,
}

/// Something that is wrong with a document or with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The id of the rule, such as `DR21`.
    pub rule: &'static str,
    pub level: Level,
    /// The place in the file; the default where only the resource is known.
    pub at: Place,
    /// The path of the field, such as `spec.trafficPolicy.tls.mode`; empty for the document.
    pub field: String,
    /// A sentence whose subject is the field: the mistake.
    pub reason: String,
    /// The remedy, such as ``write `MUTUAL` ``; empty where the reason says it.
    pub would_be_right: String,
}

/// The rule that a document is of the form that the language gives it.
pub const FORM: &str = "APP01";

impl Finding {
    /// An error of this rule.
    pub fn error(rule: &'static str, field: impl Into<String>, reason: impl Into<String>) -> Self {
        let (field, reason) = (field.into(), reason.into());
        Self { rule, level: Level::Error, at: Place::default(), field, reason, would_be_right: String::new() }
    }

    /// A warning of this rule.
    pub fn warning(rule: &'static str, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(rule, field, reason) }
    }

    /// A notice of this rule.
    pub fn notice(rule: &'static str, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { level: Level::Notice, ..Self::error(rule, field, reason) }
    }

    /// The same at this place.
    pub fn at(self, at: Place) -> Self {
        Self { at, ..self }
    }

    /// The same with a remedy.
    pub fn right(self, would_be_right: impl Into<String>) -> Self {
        Self { would_be_right: would_be_right.into(), ..self }
    }
}

impl From<reading::Finding> for Finding {
    fn from(found: reading::Finding) -> Self {
        Self::error(FORM, found.field, found.message).at(found.place)
    }
}

impl fmt::Display for Finding {
    /// `field: reason; what would be right [rule]`. The place and the level are for who knows the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.reason)?;
        if !self.would_be_right.is_empty() {
            write!(f, "; {}", self.would_be_right)?;
        }
        write!(f, " [{}]", self.rule)
    }
}
