//! Pushes commits, and learns from the end of the push.

use tracing::warn;

use super::{BranchName, PushOutcome, Writer};
use crate::source::{
    ancestry::CommitId,
    error::SourceError,
    git::{
        fetch,
        job::Job,
        push::job::{Goal, PushJob, oid},
        server::Server,
        worker::Unanswered,
    },
    location::Repository,
};

impl Writer {
    /// Pushes a chain of commits to the branch that is served: those after `from`, which the branch must be at, up to
    /// `tip`.
    pub fn push(&mut self, from: CommitId, tip: CommitId) -> PushOutcome {
        let outcome = self.send(self.reference(), Some(from), from, tip);
        if let PushOutcome::Pushed { .. } = outcome {
            self.pushed = Some(oid(tip));
            // The next fetch asks for what is newer.
            let remembered = fetch::remember(&self.source.clone, &self.source.target, oid(tip));
            if let Err(error) = remembered {
                warn!(%error, "the next fetch brings what was pushed");
            }
        }
        outcome
    }

    /// Pushes the commits after `base` as a new branch. A branch of this name that exists is a lost race.
    pub fn push_new_branch(&mut self, name: &BranchName, base: CommitId, tip: CommitId) -> PushOutcome {
        self.send(name.reference(), None, base, tip)
    }

    fn send(
        &mut self,
        reference: String,
        from: Option<CommitId>,
        base: CommitId,
        tip: CommitId,
    ) -> PushOutcome {
        // The signers may have changed since the commits were made.
        if let Err(reason) = self.verified(base) {
            return PushOutcome::Unverified { commit: base, reason };
        }
        if let Err(SourceError(reason)) = self.store() {
            return PushOutcome::Unreachable { reason };
        }
        let job = Job::Push(PushJob { goal: self.goal(), reference, from, tip });
        let source = &mut self.source;
        let outcome = match source.worker.run_to_end(job, source.clone.path(), &source.access) {
            Ok(outcome) => outcome,
            Err(Unanswered { error, has_begun: false }) => PushOutcome::Unreachable { reason: error.0 },
            Err(Unanswered { error, has_begun: true }) => {
                PushOutcome::Unknown { commit: tip, reason: error.0 }
            }
        };
        match outcome {
            PushOutcome::Unknown { .. } if !self.unsettled.contains(&oid(tip)) => {
                self.unsettled.push(oid(tip));
            }
            PushOutcome::Pushed { .. } => self.forget(tip),
            // What wrote nothing says nothing of an earlier push of these commits.
            _ => {}
        }
        outcome
    }

    /// The repository that is pushed to.
    pub(super) fn goal(&self) -> Goal {
        match &self.source.repository {
            Repository::Local(path) => Goal::Local(path.clone()),
            Repository::Remote { url, transport, .. } => {
                Goal::Server(Server::new(url.clone(), *transport, &self.source.access))
            }
        }
    }

    /// The full name of the branch that is served.
    pub(super) fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch.as_str())
    }
}
