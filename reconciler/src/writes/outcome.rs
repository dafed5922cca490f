//! The outcome of a request.

use policies::{editing::Mistake, language::PolicyName, reading::Problem};

use crate::{
    api::writes::{WriteResult, WrittenPolicy},
    source::{ancestry::CommitId, writing::CommitError},
};

/// What was done, or what a dry run would do.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The commit of this request; absent if nothing changed, and for a dry run.
    pub commit: Option<CommitId>,
    /// The commit that has what was asked for; absent for a dry run, and on a new branch.
    pub at: Option<CommitId>,
    /// The new branch and the page that proposes it.
    pub branch: Option<(String, Option<String>)>,
    pub policies: Vec<WrittenPolicy>,
    pub warnings: Vec<Problem>,
}

/// The reason why nothing was done.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// There are mistakes in what was sent.
    Mistakes(Vec<Mistake>),
    /// What was sent cannot be written.
    Unprocessable(String),
    /// The user lacks a right, or the forge refuses it.
    Forbidden(String),
    NotFound(String),
    /// The branch is not as the request needs it.
    Conflict(String),
    /// The condition of the request does not hold; the present entity tag.
    Precondition {
        reason: String,
        etag: Option<String>,
    },
    /// It cannot be done now.
    Unavailable(String),
    /// Its client left before its push began.
    Left,
    /// It was begun, and may have been done.
    Unknown {
        commit: CommitId,
    },
}

impl Done {
    pub fn has(&self, result: WriteResult) -> bool {
        self.policies.iter().any(|policy| policy.result == result)
    }
}

impl Refusal {
    pub(super) fn mistake(mistake: Mistake) -> Self {
        Self::Mistakes(vec![mistake])
    }

    /// The repository refuses a push, with these words.
    pub(super) fn of_repository(words: &str) -> Self {
        Self::Forbidden(format!("the repository refuses the push: {words}"))
    }

    /// The repository could not update the branch, and says so with these words.
    pub(super) fn not_updated(words: &str) -> Self {
        Self::Unavailable(format!("the repository did not update the branch: {words}"))
    }

    /// The same refusal, with the policy whose write it forbids: there may be many in a request.
    pub(super) fn about(self, name: Option<&PolicyName>) -> Self {
        match (self, name) {
            (Self::Forbidden(reason), Some(name)) => Self::Forbidden(format!("policy `{name}`: {reason}")),
            (refusal, _) => refusal,
        }
    }

    /// This commit, on top of which something was to be written, is not verified.
    pub(super) fn unverified(commit: CommitId, reason: &str) -> Self {
        Self::Conflict(format!(
            "nothing is written on top of commit {commit}, which is not verified: {reason}"
        ))
    }

    /// The label of its metric.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Mistakes(_) | Self::Unprocessable(_) => "invalid",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Conflict(_) | Self::Precondition { .. } => "conflict",
            Self::Unavailable(_) => "unavailable",
            Self::Left => "left",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The reason in words.
    pub fn reason(&self) -> String {
        match self {
            Self::Mistakes(mistakes) => match mistakes.as_slice() {
                [mistake] => mistake.finding.to_string(),
                _ => format!("{} mistakes", mistakes.len()),
            },
            Self::Unprocessable(reason)
            | Self::Forbidden(reason)
            | Self::NotFound(reason)
            | Self::Conflict(reason)
            | Self::Precondition { reason, .. }
            | Self::Unavailable(reason) => reason.clone(),
            Self::Left => "its client left; nothing was written".to_owned(),
            Self::Unknown { commit } => {
                format!(
                    "the push of commit {commit} may have been done: send the same request again to learn it"
                )
            }
        }
    }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Unverified { commit, reason } => Self::unverified(commit, &reason),
            CommitError::Obstacle { path, reason } => {
                Self::Conflict(format!("no file can be written at `{path}`: it {reason}"))
            }
            CommitError::Nothing => Self::Unprocessable("the commit would change nothing".to_owned()),
            CommitError::Failed(error) => Self::Unavailable(error.to_string()),
        }
    }
}
