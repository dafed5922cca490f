//! Learns what became of a push whose end is not known.

use git2::{Error, ErrorCode, Oid};

use super::{BranchName, Writer};
use crate::source::{
    ancestry::CommitId,
    error::SourceError,
    git::{
        job::Job,
        push::job::{TipJob, commit_id, oid},
        reason::failure,
    },
};

/// What the repository says about a commit whose push had an unknown end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The branch has it.
    In,
    /// The branch went elsewhere, so the commit cannot get in any more. It is at `head`, if it still exists.
    NotIn { head: Option<CommitId> },
    /// The branch is where the push found it, or between there and the commit: the commit may still arrive. To push it again is safe, and settles it.
    NotYet,
    /// The repository cannot be asked now.
    Unknown { reason: String },
}

impl Writer {
    /// Asks the repository that was pushed to whether the branch that is served has a commit, which was pushed on top of
    /// `from`.
    pub fn settle(&mut self, from: CommitId, commit: CommitId) -> Settled {
        let settled = self.ask(oid(from), oid(commit));
        self.settled(commit, settled)
    }

    /// Asks the repository that was pushed to whether a new branch has a commit. If there is no such branch, the commit
    /// may still arrive.
    pub fn settle_new_branch(&mut self, name: &BranchName, commit: CommitId) -> Settled {
        let settled = self.head_of(name.reference()).map(|head| match head {
            None => Settled::NotYet,
            Some(head) if head == commit => Settled::In,
            head => Settled::NotIn { head },
        });
        self.settled(commit, settled)
    }

    fn settled(&mut self, commit: CommitId, settled: Result<Settled, SourceError>) -> Settled {
        let settled = settled.unwrap_or_else(|error| Settled::Unknown { reason: error.0 });
        if let Settled::In | Settled::NotIn { .. } = settled {
            self.forget(commit);
        }
        settled
    }

    /// The push of a commit is taken for lost: it is not asked for any more.
    pub fn give_up(&mut self, commit: CommitId) {
        self.forget(commit);
    }

    /// The end of the push of a commit is known.
    pub(super) fn forget(&mut self, commit: CommitId) {
        self.unsettled.retain(|unsettled| *unsettled != oid(commit));
    }

    /// The commit that a branch of the repository is at.
    fn head_of(&mut self, reference: String) -> Result<Option<CommitId>, SourceError> {
        let job = Job::Tip(TipJob { goal: self.goal(), reference });
        let source = &mut self.source;
        source.worker.run(job, source.clone.path(), &source.access)
    }

    fn ask(&mut self, from: Oid, commit: Oid) -> Result<Settled, SourceError> {
        let head = self.head_of(self.reference())?;
        let Some(head) = head.map(oid) else { return Ok(Settled::NotIn { head: None }) };
        if head == commit {
            return Ok(Settled::In);
        }
        if self.source.clone.find_commit(head).is_err() {
            self.source.fetch()?;
        }
        let unreadable = |error: Error| failure("cannot read the clone", &error);
        self.source.clone.find_commit(head).map_err(unreadable)?;
        match self.source.clone.find_commit(commit) {
            // A clone that was made anew has lost it. All that the branch has was fetched, so it is not there.
            Err(error) if error.code() == ErrorCode::NotFound => {
                let not_in = Settled::NotIn { head: Some(commit_id(head)) };
                return Ok(if head == from { Settled::NotYet } else { not_in });
            }
            found => found.map_err(unreadable)?,
        };
        let is_below = |id, top| self.source.clone.graph_descendant_of(top, id).map_err(unreadable);
        // All that the branch has was fetched.
        Ok(if is_below(commit, head)? {
            Settled::In
        } else if head == from || is_below(from, head)? && is_below(head, commit)? {
            Settled::NotYet
        } else {
            Settled::NotIn { head: Some(commit_id(head)) }
        })
    }
}
