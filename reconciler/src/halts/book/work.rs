//! What is to be done in Git, and what became of it.

use std::time::Instant;

use tracing::warn;

use super::{Book, Committing, State};
use crate::{
    halts::halt::{Halt, HaltId},
    source::ancestry::CommitId,
    writes::outcome::Refusal,
};

/// What is to be done in Git.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// These are not in the branch yet.
    pub put: Vec<Halt>,
    /// These have ended, and are still in the branch.
    pub remove: Vec<HaltId>,
}

impl Book {
    /// What is to be done in Git now.
    pub fn work(&self) -> Work {
        self.work_at(Instant::now())
    }

    pub(in crate::halts) fn work_at(&self, now: Instant) -> Work {
        let state = self.lock();
        let committing = state.commits.committing;
        if committing == Committing::Off {
            return Work::default();
        }
        let is_open = |Halt { id, .. }: &&Halt| {
            !state.ending.has(id)
                && state.commits.takes(id, &state.ledger)
                && state.commits.lacks(id, &state.in_git, now)
        };
        let left = state.in_git.left().filter(|_| committing == Committing::ToServed);
        Work { put: state.ledger.halts().filter(is_open).cloned().collect(), remove: left.cloned().collect() }
    }

    /// The halts to put into Git now: what is to be done, and those of the attempt before. From here on their commit is
    /// under way.
    pub fn begin_put(&self, before: &[Halt]) -> Vec<Halt> {
        self.begin_put_at(Instant::now(), before)
    }

    pub(in crate::halts) fn begin_put_at(&self, begun: Instant, before: &[Halt]) -> Vec<Halt> {
        let mut put = self.work_at(begun).put;
        let mut state = self.lock();
        // Their commit is under way, so they are no more to be done than those that were pushed a moment ago.
        let more: Vec<_> =
            before.iter().filter(|halt| state.wants(halt) && !put.contains(halt)).cloned().collect();
        put.extend(more);
        state.commits.begin(&put, begun);
        put
    }

    /// True if one of these still holds, and nobody is ending it.
    pub fn wants(&self, halts: &[Halt]) -> bool {
        let state = self.lock();
        halts.iter().any(|halt| state.wants(halt))
    }

    /// The next time at which a halt is put into Git that is not to be put there now.
    pub fn next_put(&self) -> Option<Instant> {
        let state = self.lock();
        state.commits.next_put(&state.in_git, &state.ledger, Instant::now())
    }

    /// A commit of the branch that is served has these.
    pub fn pushed(&self, halts: &[Halt], commit: CommitId) {
        let mut state = self.lock();
        state.commits.begin_anew();
        state.in_git.pushed(halts.iter().map(|halt| halt.id.clone()), commit);
        self.update(state);
    }

    /// A commit with these was pushed to another branch.
    pub fn proposed(&self, halts: &[Halt], branch: &str) {
        let mut state = self.lock();
        state.commits.begin_anew();
        state.in_git.propose(halts.iter().map(|halt| halt.id.clone()), branch);
        drop(state);
        self.changed.send_replace(());
    }

    /// The work in Git has failed.
    pub fn failed(&self, refusal: &Refusal) {
        warn!(reason = refusal.reason(), "a halt could not be written to Git; it is tried again");
        self.lock().commits.failed(refusal);
    }

    /// The branch no longer has these, which have ended.
    pub fn removed(&self, ids: &[HaltId]) {
        let mut state = self.lock();
        state.in_git.removed(ids);
        state.commits.removed(ids);
        self.changed.send_replace(());
    }

    /// What halts that have ended left in Git could not be removed.
    pub fn removal_failed(&self, refusal: &Refusal) {
        let reason = format!("a halt that has ended cannot be removed from Git: {}", refusal.reason());
        warn!(reason, "everything stays halted; it is tried again");
        self.lock().commits.removal_failure = Some(reason);
    }

    /// A commit of the branch that has a halt, as far as one is known.
    pub fn commit_of(&self, id: &HaltId) -> Option<CommitId> {
        self.lock().in_git.commit_of(id)
    }

    /// True if the branch is known to have had one of these.
    pub fn has_in_git(&self, ids: &[HaltId]) -> bool {
        let state = self.lock();
        ids.iter().any(|id| state.in_git.has(id))
    }
}

impl State {
    fn wants(&self, Halt { id, .. }: &Halt) -> bool {
        self.ledger.has(id) && !self.ending.has(id)
    }
}
