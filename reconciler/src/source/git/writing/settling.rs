//! Learns what became of a push whose end is not known.

use git2::{Error, ErrorCode, Oid};

use super::Writer;
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
    /// The branch is where the push found it: the commit may still arrive. To push it again is safe, and settles it.
    NotYet,
    /// The repository cannot be asked now.
    Unknown { reason: String },
}

impl Writer {
    /// Asks the repository that was pushed to whether the branch that is served has a commit.
    pub fn settle(&mut self, commit: CommitId) -> Settled {
        let settled = self.ask(oid(commit)).unwrap_or_else(|error| Settled::Unknown { reason: error.0 });
        if let Settled::In | Settled::NotIn { .. } = settled {
            self.unsettled.retain(|unsettled| *unsettled != oid(commit));
        }
        settled
    }

    fn ask(&mut self, commit: Oid) -> Result<Settled, SourceError> {
        let job = Job::Tip(TipJob { goal: self.goal(), reference: self.reference() });
        let source = &mut self.source;
        let head: Option<CommitId> = source.worker.run(job, source.clone.path(), &source.access)?;
        let Some(head) = head.map(oid) else { return Ok(Settled::NotIn { head: None }) };
        if head != commit && self.source.clone.find_commit(head).is_err() {
            self.source.fetch()?;
        }
        let unreadable = |error: Error| failure("cannot read the clone", &error);
        self.source.clone.find_commit(head).map_err(unreadable)?;
        let is_known = match self.source.clone.find_commit(commit) {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(error) => return Err(unreadable(error)),
        };
        let is_below = |id, top| self.source.clone.graph_descendant_of(top, id).map_err(unreadable);
        // All that the branch has was fetched.
        Ok(if head == commit || (is_known && is_below(commit, head)?) {
            Settled::In
        } else if is_known && is_below(head, commit)? {
            Settled::NotYet
        } else {
            Settled::NotIn { head: Some(commit_id(head)) }
        })
    }
}
