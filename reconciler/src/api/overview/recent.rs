//! What came into force and what went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Listed;
use crate::api::{time::Time, writes::HistoryCommit};

/// Policies that came, changed or went at one time for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recent {
    /// The time at which this replica began to serve it so.
    pub at: Time,
    /// The user who halted, and the reason; the reason of a withdrawal. Null for other causes.
    pub because: Option<String>,
    /// The commit that did it; null for other causes, for a directory, and while that is not known.
    pub commit: Option<HistoryCommit>,
    /// Their names, in order.
    #[serde(default)]
    pub policies: Listed<String>,
    pub what: What,
    pub why: Why,
}

/// What became of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// They came into force.
    Came,
    /// They are in force with another content.
    Changed,
    /// They are no longer in force.
    Went,
    /// Something that a newer server tells.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// The cause of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A commit, or a change of the directory.
    Commit,
    /// Their start has come.
    Start,
    /// Their end has come.
    Expiry,
    /// Somebody has halted everything.
    Halt,
    /// Everything is resumed.
    Resume,
    /// A signer of the revision lost permission to sign.
    Withdrawal,
    /// The revision is withdrawn no longer.
    Readmission,
    /// This replica has started, and serves them.
    ReplicaStart,
    /// A cause of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl What {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Came => "came",
            Self::Changed => "changed",
            Self::Went => "went",
            Self::Unknown => "unknown",
        }
    }
}

impl Why {
    /// The cause in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Start => "start",
            Self::Expiry => "expiry",
            Self::Halt => "halt",
            Self::Resume => "resume",
            Self::Withdrawal => "withdrawal",
            Self::Readmission => "withdrawal ended",
            Self::ReplicaStart => "replica started",
            Self::Unknown => "unknown",
        }
    }
}
