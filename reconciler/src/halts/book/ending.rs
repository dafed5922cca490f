//! The end of halts by a request.

use std::collections::BTreeSet;

use policies::Timestamp;
use tracing::info;

use super::{Book, State};
use crate::{
    halts::{halt::HaltId, in_git::Awaited},
    source::ancestry::CommitId,
};

/// The halts that somebody is ending.
#[derive(Debug, Default)]
pub(super) struct Ending {
    ids: BTreeSet<HaltId>,
    /// The reason why the last attempt to resume came to nothing.
    pub(super) failure: Option<String>,
}

impl Ending {
    /// True if somebody is ending a halt.
    pub(super) fn has(&self, id: &HaltId) -> bool {
        self.ids.contains(id)
    }

    /// Nobody is ending a halt any more.
    pub(super) fn forget(&mut self, id: &HaltId) {
        self.ids.remove(id);
    }
}

impl Book {
    /// Begins to end all halts that hold. A halt that begins from now on is another one.
    pub fn begin_end(&self) -> Vec<HaltId> {
        let mut state = self.lock();
        state.ending.failure = None;
        let ids: Vec<_> = state.ledger.halts().map(|halt| halt.id.clone()).collect();
        state.ending.ids.extend(ids.iter().cloned());
        ids
    }

    /// These do not end after all.
    pub fn cancel_end(&self, ids: &[HaltId]) {
        self.lock().ending.ids.retain(|id| !ids.contains(id));
        self.changed.send_replace(());
    }

    /// It is not known whether these have ended in Git. Those that the branch is known to have end once it is read
    /// without them; the others go on.
    pub fn end_is_unknown(&self, ids: &[HaltId]) {
        let mut state = self.lock();
        let State { ending, in_git, .. } = &mut *state;
        ending.ids.retain(|id| in_git.has(id) || !ids.contains(id));
        self.changed.send_replace(());
    }

    /// The ids of halts that have ended. They come back into the branch if somebody reverts the commit that removed them.
    pub fn ended(&self) -> Vec<HaltId> {
        self.lock().ledger.ended().cloned().collect()
    }

    /// An attempt to resume has failed.
    pub fn resume_failed(&self, reason: &str) {
        self.lock().ending.failure = Some(reason.to_owned());
    }

    /// The branch has this commit, and none of the halts that ended is in it. The commit that a replica waits for may
    /// have been forced off.
    pub fn lacks_ended(&self, commit: CommitId) {
        let mut state = self.lock();
        let State { ledger, in_git, .. } = &mut *state;
        let ended: Vec<_> = ledger.ended().filter(|id| ledger.removed_by(id).is_some()).cloned().collect();
        ended.into_iter().for_each(|id| ledger.remove(id, (self.clock)(), commit));
        let awaited: Vec<_> = in_git.awaited().map(|awaited| Awaited { commit, ..awaited.clone() }).collect();
        in_git.await_removal(awaited);
        self.update(state);
    }

    /// Ends halts; those that were in Git by a commit that this replica serves.
    pub fn end(&self, ids: &[HaltId], commit: Option<CommitId>) {
        let mut state = self.lock();
        state.end(ids, (self.clock)(), commit, "it was ended");
        self.update(state);
    }
}

impl State {
    /// Ends halts for this reason.
    pub(super) fn end(&mut self, ids: &[HaltId], at: Timestamp, commit: Option<CommitId>, why: &str) {
        for id in ids {
            info!(%id, why, "a halt has ended");
            self.ledger.end(id.clone(), at);
            if let Some(commit) = commit {
                self.ledger.remove(id.clone(), at, commit);
            }
            self.in_git.let_go(id);
            self.forget(id);
        }
        self.ledger.forget(at);
        if self.ledger.halts().next().is_none() {
            self.ending.failure = None;
        }
    }
}
