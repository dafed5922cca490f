//! Makes commits, and keeps them in memory until they are pushed.

use git2::Repository as BareClone;

use super::{CommitError, NewCommit, Writer, new_commit, unstored::Unstored};
use crate::source::{
    ancestry::CommitId,
    error::SourceError,
    git::{
        push::job::{commit_id, oid},
        reason::failure,
    },
};

impl Writer {
    /// Checks that one who may sign has signed a commit, at this moment, if a signature is asked for.
    pub fn verified(&self, commit: CommitId) -> Result<(), String> {
        self.source.verify(oid(commit)).map_err(|unread| SourceError::from(unread).0)
    }

    /// Makes a commit on top of another. Nothing is pushed.
    pub fn commit(&mut self, parent: CommitId, new: &NewCommit) -> Result<CommitId, CommitError> {
        let is_verified = self.verified(parent);
        is_verified.map_err(|reason| CommitError::Unverified { commit: parent, reason })?;
        let mut made = self.make(parent, new);
        if self.source.access.signers.is_some() {
            // libgit2 reads a signature beyond the end of a commit in memory.
            made = made.and_then(|made| Ok(self.store().map(|()| made)?));
        }
        let made = made.inspect_err(|error| self.doubt(matches!(error, CommitError::Failed(_))))?;
        // Nobody would serve it, nor anything on top of it.
        self.verified(made).map_err(|reason| {
            SourceError(format!("the key that signs here is not one that is trusted: {reason}"))
        })?;
        Ok(made)
    }

    fn make(&mut self, parent: CommitId, new: &NewCommit) -> Result<CommitId, CommitError> {
        if self.unstored.as_ref().is_some_and(Unstored::are_large) {
            self.store()?;
        }
        let unstored = match &mut self.unstored {
            Some(unstored) => unstored,
            none => none.insert(Unstored::above(&self.source.clone)?),
        };
        new_commit::make(unstored, oid(parent), new, self.key.as_ref()).map(commit_id)
    }

    /// Stores the commits that were made since the last push, all or none.
    pub(super) fn store(&mut self) -> Result<(), SourceError> {
        let Some(unstored) = &self.unstored else { return Ok(()) };
        let stored = unstored.store(&self.source.clone);
        stored.map_err(|error| {
            self.doubt(true);
            failure("cannot store the commits", &error)
        })?;
        self.unstored = None;
        Ok(())
    }

    /// The clone, with the commits that are not stored yet.
    pub(in crate::source::git) fn repository(&self) -> &BareClone {
        self.unstored.as_ref().map_or(&self.source.clone, Unstored::repository)
    }
}
