//! The end of a push.

use serde::{Deserialize, Serialize};

use crate::source::ancestry::CommitId;

/// The end of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushOutcome {
    /// The commits are in. The link is the first one to the repository's own host in the words of the forge.
    Pushed { link: Option<String> },
    /// Nothing was written: the branch is no longer where the commits begin. It is at `head`, if that was told and the
    /// branch still exists.
    LostRace { head: Option<CommitId> },
    /// Nothing was written: the branch is where the push found it, and the server could not update it. That may pass,
    /// since another push may be under way. Its words are as those of a refusal.
    NotUpdated { words: String },
    /// Nothing was written: the forge does not want it. Its words are printable, in lines, and at most 1 KiB.
    Refused { words: String },
    /// Nothing was written, for another reason.
    Unreachable { reason: String },
    /// Nothing was written: this commit, which the push begins at, is not verified at this moment.
    Unverified { commit: CommitId, reason: String },
    /// It is not known whether the commits are in. This is their last one.
    Unknown { commit: CommitId, reason: String },
}
