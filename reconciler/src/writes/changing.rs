//! Makes the changes of files that are no policies.

use std::time::{Duration, Instant};

use tracing::warn;

use super::{
    batch::pause,
    branch::Branch,
    file_change::{Before, Changed, Edited, FileChange, Waiting},
    message,
    outcome::Refusal,
    worker::Worker,
};
use crate::{
    random_id::random_id,
    source::{
        SourceError,
        ancestry::CommitId,
        writing::{BranchName, NewCommit, PushOutcome},
    },
};

/// The longest that a change is tried, beside the time that a push takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The end of a push.
enum Pushed {
    Done(Changed),
    /// It wrote nothing, for a cause that may pass: the refusal of a change for which no time is left.
    Again(Refusal),
}

impl Worker {
    /// Makes a change, and tells its end.
    pub(super) fn change_file(&mut self, Waiting { change, answer }: Waiting) {
        let changed = self.try_to_change(&change);
        self.writer.forget_made();
        // Who asked may be gone.
        let _ = answer.send(changed);
    }

    fn try_to_change(&mut self, change: &FileChange) -> Result<Changed, Refusal> {
        let (deadline, mut attempt) = (Instant::now() + PATIENCE, 0);
        loop {
            let head = self.read().map_err(|error| self.unreadable(error.to_string()))?;
            let path = self.below_directory(&change.path);
            let unavailable = |error: SourceError| Refusal::Unavailable(error.to_string());
            let content = self.writer.file(head.commit, &path).map_err(unavailable)?;
            let has = |commit| self.writer.has(head.commit, commit).map_err(unavailable);
            let before = Before { content: content.as_deref(), has: &has };
            let content = match (change.edit)(before)? {
                Edited::Changed(content) => content,
                Edited::Unchanged => {
                    self.syncs.request_at_once();
                    return Ok(Changed::Already(head.commit));
                }
                Edited::Dropped => return Ok(Changed::Dropped),
            };
            let is_removed = content.is_none();
            let commit = self.commit_file(&head, path, content, change)?;
            // What only takes away is refused for nobody's limits.
            if !is_removed {
                self.is_servable(commit)?;
            }
            if !(change.is_wanted)() {
                return Ok(Changed::Dropped);
            }
            match self.push_file(&head, commit, change)? {
                Pushed::Done(changed) => return Ok(changed),
                Pushed::Again(refusal) if Instant::now() > deadline => return Err(refusal),
                Pushed::Again(_) => pause(attempt),
            }
            attempt += 1;
        }
    }

    fn push_file(&mut self, head: &Branch, commit: CommitId, change: &FileChange) -> Result<Pushed, Refusal> {
        let branch = self.branch_for(change)?;
        let outcome = match &branch {
            Some(name) => self.writer.push_new_branch(name, head.commit, commit),
            None => self.writer.push(head.commit, commit),
        };
        match (outcome, branch) {
            (PushOutcome::Pushed { .. }, Some(name)) => {
                Ok(Pushed::Done(Changed::Proposed { branch: name.as_str().to_owned() }))
            }
            (PushOutcome::Pushed { .. }, None) => {
                self.syncs.request_at_once();
                Ok(Pushed::Done(Changed::Pushed(commit)))
            }
            (PushOutcome::LostRace { .. }, _) => {
                Ok(Pushed::Again(Refusal::Unavailable("others pushed first, again and again".to_owned())))
            }
            (PushOutcome::NotUpdated { words }, _) => Ok(Pushed::Again(Refusal::not_updated(&words))),
            (PushOutcome::Refused { words }, _) => Err(Refusal::of_repository(&words)),
            (PushOutcome::Unreachable { reason }, _) => Err(Refusal::Unavailable(reason)),
            (PushOutcome::Unverified { commit, reason }, _) => Err(Refusal::unverified(commit, &reason)),
            (PushOutcome::Unknown { commit, reason }, _) => {
                warn!(%commit, reason, "the end of a push is not known");
                // Each attempt begins at the branch as it is then, and none pushes this commit again.
                self.writer.give_up(commit);
                Err(Refusal::Unknown { commit })
            }
        }
    }

    fn commit_file(
        &mut self,
        head: &Branch,
        path: String,
        content: Option<Vec<u8>>,
        change: &FileChange,
    ) -> Result<CommitId, Refusal> {
        let FileChange { user, subject, .. } = change;
        let author = self.author(user)?;
        let message = message::with_trailers(subject, user, &random_id());
        let new = NewCommit { changes: vec![(path, content)], author, message };
        Ok(self.writer.commit(head.commit, &new)?)
    }

    /// The new branch for a change, where the served branch takes no commits.
    fn branch_for(&self, change: &FileChange) -> Result<Option<BranchName>, Refusal> {
        let name = change.path.trim_end_matches(".yaml");
        let has_pattern = self.settings.write_branch.is_some();
        has_pattern.then(|| self.branch_name(&change.user, name)).transpose()
    }
}
