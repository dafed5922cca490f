//! The reason why a commit that was made here is not read.

use crate::source::{error::SourceError, git::examining::Unread};

/// The reason why a commit that was made here is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadCommitError {
    /// It must not be served, whenever it is read.
    #[error("{0}")]
    Refused(String),
    /// It cannot be read now. The commit need not be the cause.
    #[error(transparent)]
    Failed(SourceError),
}

impl From<Unread> for ReadCommitError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Refused(reason) => Self::Refused(reason),
            // What was just made is damaged by what it was stored on.
            Unread::Damaged(error) | Unread::Failed(error) => Self::Failed(error),
        }
    }
}
