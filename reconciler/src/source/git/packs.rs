//! Keeps the number of pack files in the clone small.
//!
//! Every fetch that brings objects adds a pack file, and libgit2 keeps each pack file open that it has read.
//! When there are many, the packs since the last full pack become one pack; when that has grown large,
//! everything becomes one pack. Unreachable objects are dropped then: commits that were forced off the branch.

use std::path::Path;

use git2::Oid;

use super::join::{Base, JoinJob, names};

/// The largest number of packs.
const MOST_PACKS: usize = 50;

/// The known packs of the clone.
#[derive(Debug, Default)]
pub(super) struct Packs {
    base: Option<Base>,
    /// The number of packs above [`MOST_PACKS`] at which joining is tried again, after it has failed.
    again: usize,
}

impl Packs {
    /// The job to join packs, if there are too many. Everything that `kept` leads to is to stay.
    pub(super) fn join(&mut self, clone: &Path, kept: impl IntoIterator<Item = Oid>) -> Option<JoinJob> {
        let packs = names(&directory(clone)).ok()?;
        let kept: Vec<_> = kept.into_iter().map(|id| id.to_string()).collect();
        let first = kept.first()?;
        if packs.len() <= MOST_PACKS + self.again {
            // Those that an earlier process left are as good a base as one pack.
            if packs.len() == 1 || (self.base.is_none() && packs.len() <= MOST_PACKS / 2) {
                self.base = Some(Base { commit: first.clone(), packs });
            }
            return None;
        }
        Some(JoinJob { kept, base: self.base.clone() })
    }

    /// Takes note that packs were joined.
    pub(super) fn joined(&mut self, base: Base) {
        *self = Self { base: Some(base), again: 0 };
    }

    /// Takes note that joining failed: it is not tried again at once.
    pub(super) fn failed(&mut self, clone: &Path) {
        let packs = names(&directory(clone)).map_or(0, |packs| packs.len());
        *self = Self { base: None, again: packs };
    }
}

fn directory(clone: &Path) -> std::path::PathBuf {
    clone.join("objects").join("pack")
}
