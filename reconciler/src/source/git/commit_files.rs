//! The files of one commit after another, in a process that follows no repository itself.

use git2::Oid;

use super::{commit_log::CommitLog, tree::Files};
use crate::source::{
    ancestry::CommitId,
    checkout::{BlobId, CheckoutFile},
    error::SourceError,
};

/// The files of the commit that was read last. What is the same in the next one is not read again.
#[derive(Debug, Default)]
pub struct CommitFiles(Option<Files>);

impl CommitFiles {
    /// The files of the policy directory at a commit and those in the directories above, as they are read to be served.
    /// Files whose content `is_known` come without it. Blocks.
    pub fn read(
        &mut self,
        commits: &CommitLog,
        commit: CommitId,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<(Vec<CheckoutFile>, Vec<CheckoutFile>), SourceError> {
        commits.read(&format!("commit {commit}"), |clone| {
            let (known, path) = (self.0.as_ref(), &commits.path);
            let mut files = Files::of(clone, Oid::from_bytes(&commit.0)?, path, known)?;
            // The process that serves tells the warnings.
            let read = files.read(clone, path, known, is_known, &mut Vec::new())?;
            self.0 = Some(files);
            Ok(read)
        })
    }
}
