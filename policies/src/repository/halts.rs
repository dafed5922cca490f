//! Halts in their places.

use std::sync::Arc;

use super::file::File;
use crate::reading::{Finding, Halt, Problem};

/// A halt, and the file that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedHalt {
    pub file: Arc<str>,
    pub halt: Arc<Halt>,
}

impl LocatedHalt {
    /// The halts of some files.
    pub(super) fn of<'a>(files: impl Iterator<Item = &'a (&'a Arc<str>, &'a File)>) -> Vec<Self> {
        let halts = files.flat_map(|(path, file)| {
            let located = |halt: &Arc<Halt>| Self { file: Arc::clone(path), halt: Arc::clone(halt) };
            file.halts().map(located)
        });
        halts.collect()
    }

    /// True if it holds every policy there is.
    pub fn holds_everything(&self) -> bool {
        directory(&self.file).is_empty()
    }

    /// The warning that policies are held.
    pub(super) fn warning(&self) -> Problem {
        let Halt { reason, place, .. } = &*self.halt;
        let message = format!("keeps every policy at and below its directory out of force: {reason}");
        let finding = Finding { place: *place, field: "kind".to_owned(), message };
        Problem { file: Arc::clone(&self.file), finding }
    }

    /// True if it holds the policies of a file.
    pub(super) fn holds(&self, file: &str) -> bool {
        file.starts_with(directory(&self.file))
    }
}

/// The directory of a file, with its slash; empty for the policy directory itself, and for those above it.
pub(super) fn directory(path: &str) -> &str {
    if path.starts_with("../") {
        return "";
    }
    path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or_default()
}
