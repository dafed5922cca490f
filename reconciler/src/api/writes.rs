//! The answers to `POST /v1/policies`, and to `PUT` and `DELETE` of one policy; and the history of one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{finding::Finding, time::Time};

/// A change that is in Git, or that a dry run would make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Written {
    /// The new branch that has the commit, with `--write-branch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The new commit; `null` if nothing changed, and for a dry run.
    pub commit: Option<String>,
    /// The digest of all policies in force; `null` unless `served`.
    pub digest: Option<String>,
    /// The page of the forge that proposes the branch, with `--write-branch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    pub policies: Vec<WrittenPolicy>,
    /// The id of the request, which the commit and the log have too.
    pub request: String,
    /// The commit of the branch that has the change; `null` for a dry run and with `--write-branch`.
    pub revision: Option<String>,
    /// True if this replica serves the change.
    pub served: bool,
    /// Errors that were there before, and what else is to be known.
    pub warnings: Vec<Finding>,
}

/// A policy that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrittenPolicy {
    /// The path of the file in the repository.
    pub file: String,
    /// From 1; of a deleted policy, where it stood.
    pub line: u32,
    pub name: String,
    pub result: WriteResult,
}

/// What became of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WriteResult {
    Created,
    Configured,
    Unchanged,
    Restarted,
    Deleted,
    /// A result of a newer server.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// A mistake in the body of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BodyError {
    /// In characters, from 1; 0 is the whole document.
    pub column: u32,
    /// The document in the body, from 0.
    pub document: usize,
    /// The path of the field, such as `spec.rules[0].fault.percentage`; empty for the whole document.
    pub field: String,
    /// From 1; 0 is the whole document.
    pub line: u32,
    /// The mistake and its correction, as a sentence without its subject.
    pub message: String,
}

/// The commits of the branch that changed a policy, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    pub commits: Vec<HistoryCommit>,
    /// True if there are older commits, which were not looked at.
    pub partial: bool,
}

/// A commit that changed a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryCommit {
    /// The name of the author.
    pub author: String,
    /// The full id.
    pub id: String,
    /// The first line of the message.
    pub subject: String,
    /// The time of the commit.
    pub time: Time,
}

impl WriteResult {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Restarted => "restarted",
            Self::Deleted => "deleted",
            Self::Unknown => "unknown",
        }
    }
}
