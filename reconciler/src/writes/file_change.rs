//! A change of one file that is no policy: it goes through the queue and the pushes of all changes.

use std::fmt;

use tokio::sync::oneshot;

use super::outcome::Refusal;
use crate::source::ancestry::CommitId;

/// Makes the new content of a file.
type Edit = Box<dyn Fn(Before<'_>) -> Result<Edited, Refusal> + Send>;

/// The branch before a change.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// The content of the file, if there is one.
    pub content: Option<&'a [u8]>,
    /// True if a commit is in the branch.
    pub has: &'a dyn Fn(CommitId) -> Result<bool, Refusal>,
}

/// A change of one file.
pub struct FileChange {
    /// The path below the policy directory.
    pub path: String,
    /// The name of the user, for the commit.
    pub user: String,
    /// The first line of the message.
    pub subject: String,
    pub edit: Edit,
    /// False as soon as nobody wants the change any more. Asked again directly before the push.
    pub is_wanted: Box<dyn Fn() -> bool + Send>,
}

/// The new content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    Unchanged,
    /// Nobody wants the change any more.
    Dropped,
    /// Without content the file is removed.
    Changed(Option<Vec<u8>>),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The branch is at this commit, and has it already.
    Already(CommitId),
    /// It is in the branch that is served.
    Pushed(CommitId),
    /// It is on a new branch (`--write-branch`).
    Proposed { branch: String },
    /// Nobody wants it any more.
    Dropped,
}

/// A change that waits, and where its end is told.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) change: FileChange,
    pub(super) answer: oneshot::Sender<Result<Changed, Refusal>>,
}

impl fmt::Debug for Before<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Before").field("content", &self.content).finish_non_exhaustive()
    }
}

impl fmt::Debug for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileChange").field("path", &self.path).finish_non_exhaustive()
    }
}
