//! A push, as a job of the child process.

use std::{fmt, path::PathBuf};

use git2::{Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};

use crate::source::{ancestry::CommitId, git::server::Server, printable::printable};

/// The repository that is pushed to. Nothing in it is secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::source::git) enum Goal {
    Server(Server),
    Local(PathBuf),
}

/// A push of commits to one branch.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source::git) struct PushJob {
    pub(in crate::source::git) goal: Goal,
    /// The full name of the ref.
    pub(in crate::source::git) reference: String,
    /// The commit that the ref must be at; `None` for a ref that must not exist.
    pub(in crate::source::git) from: Option<CommitId>,
    /// The last of the commits.
    pub(in crate::source::git) tip: CommitId,
}

/// The question where a branch is, to the very repository that pushes go to.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source::git) struct TipJob {
    pub(in crate::source::git) goal: Goal,
    /// The full name of the ref.
    pub(in crate::source::git) reference: String,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(server) => f.write_str(&server.repository),
            Self::Local(path) => f.write_str(&printable(&path.to_string_lossy())),
        }
    }
}

impl PushJob {
    /// True for a commit that the push is to add, or begins at. Then the push, or one like it, has been there.
    pub(super) fn is_on_the_way(&self, clone: &BareClone, there: Oid) -> bool {
        let tip = oid(self.tip);
        let Some(from) = self.from.map(oid) else { return false };
        if there == from {
            return true;
        }
        let is_below = |id, top| clone.graph_descendant_of(top, id).unwrap_or(false);
        (there == tip || is_below(there, tip)) && is_below(from, there)
    }
}

/// The id as libgit2 has it.
pub(in crate::source::git) fn oid(id: CommitId) -> Oid {
    Oid::from_bytes(&id.0).unwrap_or(Oid::ZERO_SHA1)
}

/// The id as all others have it.
pub(in crate::source::git) fn commit_id(oid: Oid) -> CommitId {
    CommitId(oid.as_bytes().try_into().unwrap_or_default())
}
