//! Writes to the repository that is followed, and the reading that they need: as for serving.

pub use super::git::writing::*;
use super::{ancestry::CommitId, checkout::BlobId, error::SourceError, reading::Reading};

impl Writer {
    /// Fetches the newest state, and reads it, unless it is the one that was kept last.
    pub fn read(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Result<Option<Reading<'_>>, SourceError> {
        let read = self.fetched(is_known)?;
        Ok(read.map(|(checkout, git)| Reading::of_commit(checkout, git)))
    }

    /// Reads the branch as it was pushed last, unless that is the state that was kept last. Nothing is fetched: others
    /// may have pushed since.
    pub fn read_pushed(
        &mut self,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<Option<Reading<'_>>, SourceError> {
        let read = self.pushed(is_known)?;
        Ok(read.map(|(checkout, git)| Reading::of_commit(checkout, git)))
    }

    /// Reads a commit that was made here and is not pushed, as it would be read for serving. The reading is not to be
    /// kept.
    pub fn read_commit(
        &mut self,
        commit: CommitId,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<Reading<'_>, ReadCommitError> {
        let (checkout, git) = self.made(commit, is_known)?;
        Ok(Reading::of_commit(checkout, git))
    }
}
