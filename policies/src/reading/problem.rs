//! Problems: the place, the field, and a message that says how to correct it.

use std::{fmt, sync::Arc};

use serde::Serialize;

/// A place in a file. Lines and columns count from 1, columns in characters; 0 is the whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

/// A problem in one file, before it is known under which name the file stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    #[serde(flatten)]
    pub place: Place,
    /// The path of the field, such as `spec.rules[0].fault.percentage`; empty for the document.
    pub field: String,
    /// A sentence whose subject is the field: the mistake, and how to correct it.
    pub message: String,
}

/// A problem and the file it is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    pub file: Arc<str>,
    #[serde(flatten)]
    pub finding: Finding,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Problem {
    /// `file:line:column: field: message`, as compilers print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        let Place { line, column } = self.finding.place;
        if line > 0 {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.finding)
    }
}
