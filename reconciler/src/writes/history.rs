//! The commits that changed a policy.

use policies::language::PolicyName;

use crate::{
    api::writes::{History, HistoryCommit},
    source::{
        SourceError,
        ancestry::CommitId,
        git::{ChangeCommit, DocumentHistory, MAX_COMMITS},
        writing::Writer,
    },
};

/// The commits that are recent.
const RECENT: usize = 100;

/// The commits up to `tip` that changed a policy, the newest first. Blocks.
pub fn of(documents: &DocumentHistory, tip: CommitId, name: &PolicyName) -> Result<History, SourceError> {
    let changed = documents.of(tip, name, MAX_COMMITS, usize::MAX)?;
    let commits = changed.commits.into_iter().map(Into::into).collect();
    Ok(History { commits, partial: changed.is_partial })
}

impl From<ChangeCommit> for HistoryCommit {
    fn from(ChangeCommit { id, at, author, subject, .. }: ChangeCommit) -> Self {
        Self { author, id: id.to_string(), subject, time: at.into() }
    }
}

/// The newest commit up to `tip` that changed a policy, in words. Blocks.
pub(super) fn last_change(writer: &Writer, tip: CommitId, name: &PolicyName) -> Option<String> {
    change_among(writer, tip, name, MAX_COMMITS)
}

/// The same among a few commits, where there may be none. Others wait meanwhile.
pub(super) fn recent_change(writer: &Writer, tip: CommitId, name: &PolicyName) -> Option<String> {
    change_among(writer, tip, name, RECENT)
}

fn change_among(writer: &Writer, tip: CommitId, name: &PolicyName, among: usize) -> Option<String> {
    let changed = writer.changes(tip, name, among, 1).ok()?;
    let ChangeCommit { id, author, user, .. } = changed.commits.first()?;
    // `--git-author` is the author of the commits of all users.
    let by = user.as_ref().unwrap_or(author);
    Some(format!("commit {id} by {by}"))
}
