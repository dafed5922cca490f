//! Halts in their places.

use std::{collections::HashMap, sync::Arc};

use super::file::File;
use crate::reading::{Finding, Halt, Problem};

/// A halt, and the file that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedHalt {
    pub file: Arc<str>,
    pub halt: Arc<Halt>,
    is_of_everything: bool,
}

impl LocatedHalt {
    /// The halts of some files, given the policy directory as their paths have it.
    pub(super) fn of<'a>(
        files: impl Iterator<Item = &'a (&'a Arc<str>, &'a File)>,
        policy_directory: &str,
    ) -> Vec<Self> {
        let halts = files.flat_map(|(path, file)| {
            file.halts().map(|halt| {
                let is_of_everything = policy_directory.starts_with(directory(path));
                let (file, halt) = (Arc::clone(path), Arc::clone(halt));
                Self { file, halt, is_of_everything }
            })
        });
        halts.collect()
    }

    /// True if it holds every policy there is.
    pub fn holds_everything(&self) -> bool {
        self.is_of_everything
    }

    /// The warning that policies are held.
    pub(super) fn warning(&self) -> Problem {
        let Halt { reason, place, .. } = &*self.halt;
        let message = format!("keeps every policy at and below its directory out of force: {reason}");
        let finding = Finding { place: *place, field: "kind".to_owned(), message };
        Problem { file: Arc::clone(&self.file), finding }
    }
}

/// The first halt of each directory.
#[derive(Debug)]
pub(super) struct HeldDirectories<'a>(HashMap<&'a str, (usize, &'a LocatedHalt)>);

impl<'a> HeldDirectories<'a> {
    pub(super) fn of(halts: &'a [LocatedHalt]) -> Self {
        let mut first = HashMap::new();
        for (number, halt) in halts.iter().enumerate() {
            first.entry(directory(&halt.file)).or_insert((number, halt));
        }
        Self(first)
    }

    /// The first halt that holds the policies of a file: one in its directory, or in one above.
    pub(super) fn halt_of(&self, file: &str) -> Option<&'a LocatedHalt> {
        let above = file.match_indices('/').filter_map(|(slash, _)| file.get(..=slash));
        let halts = above.chain([""]).filter_map(|directory| self.0.get(directory));
        halts.min_by_key(|(number, _)| number).map(|(_, halt)| *halt)
    }
}

/// The directory of a file, with its slash; empty for the policy directory itself, and for those above it.
pub(super) fn directory(path: &str) -> &str {
    if path.starts_with("../") {
        return "";
    }
    path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or_default()
}
