//! The halts as people are told of them.

use super::{Book, Committing, State};
use crate::{
    api::halts::Durable,
    halts::halt::{Halt, HaltId},
};

/// The halts that hold, as they are shown.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The oldest first.
    pub halts: Vec<Halt>,
    /// The worst of them.
    pub durable: Option<Durable>,
    pub trouble: Option<String>,
}

impl Book {
    /// The halts that hold.
    pub fn view(&self) -> View {
        let state = self.lock();
        let mut halts: Vec<_> = state.held().cloned().collect();
        halts.sort();
        let durable = halts.iter().map(|halt| state.durable(&halt.id)).min_by_key(|durable| rank(*durable));
        let is_in_git = |halt: &Halt| state.in_git.has_read(&halt.id);
        let is_stored = |halt: &Halt| !self.has_store() || state.saved.has(&halt.id);
        let State { commits, ending, in_git, saved, crowded, .. } = &*state;
        let mut not_in_git = halts.iter().filter(|halt| !is_in_git(halt)).peekable();
        let commit = not_in_git.peek().and_then(|_| commits.failure.clone());
        let commit = commit.or_else(|| not_in_git.find_map(|halt| state.elsewhere(&halt.id)));
        let disk = (!halts.iter().all(|halt| is_in_git(halt) || is_stored(halt))).then(|| saved.failure());
        let not_kept: Vec<_> = commit.into_iter().chain(disk).collect();
        let not_kept = (!not_kept.is_empty()).then(|| not_kept.join("; "));
        let removal = commits.removal_failure.clone().filter(|_| in_git.left().next().is_some());
        let behind = in_git.awaited().next().map(|awaited| {
            let commit = awaited.commit;
            format!("another replica has ended the halt; this one holds until it reads commit {commit}, see /v1/ready")
        });
        let crowded = crowded.map(|_| "other replicas tell more halts than there is room for".to_owned());
        let trouble = behind.or(crowded).or(not_kept).or(removal).or_else(|| ending.failure.clone());
        View { halts, durable, trouble }
    }
}

impl State {
    /// The branch that the commit of a halt is on, in words, where that is not the one that is served.
    fn elsewhere(&self, id: &HaltId) -> Option<String> {
        match self.in_git.proposal(id) {
            Some(branch) => {
                Some(format!("the commit is on the branch `{branch}`, not on the one that is served"))
            }
            None if self.commits.committing == Committing::ToOthers && !self.ledger.is_own(id) => {
                let reason = "the replica at which the halt began, if it still runs, commits it to a branch that is not \
                              served";
                Some(reason.to_owned())
            }
            None => None,
        }
    }

    /// The place where a halt is kept.
    fn durable(&self, id: &HaltId) -> Durable {
        let can_commit = self.commits.takes(id, &self.ledger);
        // Somebody is at work: it is to be put, or was pushed and is put again if it is not read soon.
        let is_at_work = self.in_git.has(id) || !self.ending.has(id);
        if self.in_git.has_read(id) {
            Durable::Git
        } else if can_commit && is_at_work && !self.commits.is_given_up(id, &self.in_git) {
            Durable::Pending
        } else if self.saved.has(id) {
            Durable::Disk
        } else {
            Durable::Memory
        }
    }
}

/// The order of places from the worst to the best.
fn rank(durable: Durable) -> usize {
    let worst_first = [Durable::Memory, Durable::Disk, Durable::Pending, Durable::Git];
    worst_first.iter().position(|known| *known == durable).unwrap_or_default()
}
