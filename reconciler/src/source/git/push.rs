//! Pushes in the child process: to a server, or to a repository on this machine.

mod forge_words;
pub(super) mod job;
pub(super) mod locally;
mod outcome;
mod to_server;

use git2::Repository as BareClone;

use self::job::{Goal, PushJob, TipJob, commit_id};
pub use self::outcome::PushOutcome;
use crate::source::ancestry::CommitId;

/// Pushes from `clone`.
pub(super) fn push(clone: &BareClone, job: &PushJob) -> Result<PushOutcome, String> {
    match &job.goal {
        Goal::Server(server) => to_server::push(clone, server, job),
        Goal::Local(path) => Ok(locally::push(clone, path, job)),
    }
}

/// Asks for the commit of a branch; `None` if there is no such branch.
pub(super) fn tip(clone: &BareClone, job: &TipJob) -> Result<Option<CommitId>, String> {
    let found = match &job.goal {
        Goal::Server(server) => to_server::tip(clone, server, &job.reference)?,
        Goal::Local(path) => {
            locally::tip(path, &job.reference).map_err(|error| locally::unreadable(path, &error))?
        }
    };
    Ok(found.map(commit_id))
}
