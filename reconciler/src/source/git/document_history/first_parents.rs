//! The first parents of commits, one behind another, until they are too long together.

use git2::{Commit, Repository as BareClone};

use crate::source::git::{budget::ReadError, objects};

/// The most bytes of commits that are read on one way back. Tests read fewer.
const MOST_BYTES: usize = if cfg!(test) { 4 << 20 } else { 16 << 20 };

/// A way back through a clone.
pub(super) struct FirstParents<'r> {
    clone: &'r BareClone,
    /// The bytes that may still be read.
    left: usize,
}

impl<'r> FirstParents<'r> {
    pub(super) fn new(clone: &'r BareClone) -> Self {
        Self { clone, left: MOST_BYTES }
    }

    /// The first parent of a commit, also if it is longer than a commit that is served.
    pub(super) fn of(&mut self, commit: &Commit<'_>) -> Result<Option<Commit<'r>>, ReadError> {
        let Some(id) = commit.parent_ids().next() else { return Ok(None) };
        let (parent, size) = objects::commit_within(self.clone, id, self.left)?;
        self.left -= size;
        Ok(Some(parent))
    }
}
