//! The size of the policy files of a commit, and its limit.

use super::{budget::Excess, limits::MAX_CONTENT};

/// The bytes of policy files, each counted for every path to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct ContentSize(usize);

impl ContentSize {
    /// Adds a file, unless that is over the limit.
    pub(in crate::source) fn add(&mut self, bytes: usize) -> Result<(), Excess> {
        self.0 += bytes;
        if self.0 > MAX_CONTENT {
            return Err(Excess::new(format!(
                "its policy files have more than {MAX_CONTENT} bytes: name a smaller directory by --path"
            )));
        }
        Ok(())
    }

    /// Takes a file away that was added.
    pub(super) fn remove(&mut self, bytes: usize) {
        self.0 -= bytes;
    }
}
