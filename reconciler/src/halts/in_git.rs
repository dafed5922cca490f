//! The halts that are in the branch that is served, as far as this replica knows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    halt::{Halt, HaltId},
    ledger::Ledger,
};
use crate::source::ancestry::CommitId;

/// What is known of halts in the branch that is served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InGit {
    /// For each halt a commit of the branch that has it. Kept on disk: a halt that is removed while this replica is down
    /// has ended.
    commits: BTreeMap<HaltId, CommitId>,
    /// The halts of which this replica has read that the branch has them.
    read: BTreeSet<HaltId>,
    /// The halts whose commit arrived after their end. An id that somebody put back by reverting a commit is none of
    /// them: it holds until somebody resumes.
    #[serde(skip)]
    left: BTreeSet<HaltId>,
    /// The halts that another replica has ended in Git, each with a commit that has to be read here first. Kept on disk:
    /// what is served after a restart may be as old.
    awaited: BTreeMap<HaltId, Awaited>,
    /// The halts whose commit was pushed to another branch than the one that is served: for each the name of that branch.
    /// Kept on disk: one is enough.
    proposed: BTreeMap<HaltId, String>,
}

/// A halt that holds here until a commit of the branch is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    pub halt: Halt,
    pub commit: CommitId,
}

/// The branch as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Branch<'a> {
    pub commit: CommitId,
    /// That commit and all before it.
    pub commits: &'a HashSet<CommitId>,
    /// The halts of the file; `None` if the file is damaged, so that nobody knows.
    pub halts: Option<&'a [Halt]>,
}

/// What the branch no longer has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Somebody has removed them.
    pub removed: Vec<HaltId>,
    /// The branch was forced to where they are not.
    pub forced: Vec<HaltId>,
}

impl InGit {
    /// What is left of it where something else is followed. That may be the same repository by another name, so halts
    /// wait for their commits there, too.
    pub fn elsewhere(self) -> Self {
        Self { awaited: self.awaited, ..Self::default() }
    }

    /// A commit with these halts was pushed, or is known to be in the branch.
    pub fn pushed(&mut self, ids: impl IntoIterator<Item = HaltId>, commit: CommitId) {
        self.commits.extend(ids.into_iter().map(|id| (id, commit)));
    }

    /// The branch was read.
    pub fn read(
        &mut self,
        branch: Branch<'_>,
        ledger: &Ledger,
        is_under_way: impl Fn(&HaltId) -> bool,
    ) -> Read {
        let Some(present) = branch.halts else { return Read::default() };
        for Halt { id, .. } in present {
            self.commits.insert(id.clone(), branch.commit);
            self.read.insert(id.clone());
        }
        // The end of a halt that was put back counts, too: its document holds.
        self.awaited.retain(|_, awaited| !branch.commits.contains(&awaited.commit));
        let ids: BTreeSet<_> = present.iter().map(|halt| &halt.id).collect();
        let is_late = |id: &&&HaltId| ledger.has_ended(id) && is_under_way(id);
        self.left = ids.iter().filter(is_late).map(|id| (*id).clone()).collect();
        let gone: Vec<_> = self.commits.iter().filter(|(id, _)| !ids.contains(id)).collect();
        // A commit after the one that had it does not: somebody removed it.
        let removed = gone.iter().filter(|(_, commit)| branch.commits.contains(commit));
        let removed: Vec<_> = removed.map(|(id, _)| (*id).clone()).collect();
        // The branch was forced to where that commit is not: it has to be committed again. If it was never read, this
        // replica may just be behind.
        let forced =
            gone.iter().filter(|(id, commit)| !branch.commits.contains(commit) && self.read.contains(*id));
        let forced: Vec<_> = forced.map(|(id, _)| (*id).clone()).collect();
        removed.iter().for_each(|id| self.let_go(id));
        for id in removed.iter().chain(&forced) {
            self.forget(id);
        }
        Read { removed, forced }
    }

    /// True if this process has read that the branch has the halt.
    pub fn has_read(&self, id: &HaltId) -> bool {
        self.read.contains(id)
    }

    /// True if a commit of the branch is known that has the halt.
    pub fn has(&self, id: &HaltId) -> bool {
        self.commits.contains_key(id)
    }

    /// A commit of the branch that has the halt, as far as one is known.
    pub fn commit_of(&self, id: &HaltId) -> Option<CommitId> {
        self.commits.get(id).copied()
    }

    /// The halts that have ended and are to be removed from the branch.
    pub fn left(&self) -> impl Iterator<Item = &HaltId> {
        self.left.iter()
    }

    /// A commit with these was pushed to another branch than the one that is served.
    pub fn propose(&mut self, ids: impl IntoIterator<Item = HaltId>, branch: &str) {
        self.proposed.extend(ids.into_iter().map(|id| (id, branch.to_owned())));
    }

    /// The branch to which the commit of a halt was pushed, where that is not the one that is served.
    pub fn proposal(&self, id: &HaltId) -> Option<&str> {
        self.proposed.get(id).map(String::as_str)
    }

    /// A halt has ended.
    pub fn forget_proposal(&mut self, id: &HaltId) {
        self.proposed.remove(id);
    }

    /// These are no longer in the branch.
    pub fn removed(&mut self, ids: &[HaltId]) {
        self.left.retain(|id| !ids.contains(id));
    }

    /// These hold until their commits are read.
    pub fn await_removal(&mut self, awaited: impl IntoIterator<Item = Awaited>) {
        self.awaited.extend(awaited.into_iter().map(|awaited| (awaited.halt.id.clone(), awaited)));
    }

    /// The halts that hold until a commit is read.
    pub fn awaited(&self) -> impl Iterator<Item = &Awaited> {
        self.awaited.values()
    }

    /// No halt waits for a commit any more.
    pub fn await_nothing(&mut self) {
        self.awaited.clear();
    }

    /// A halt waits for no commit any more.
    pub fn let_go(&mut self, id: &HaltId) {
        self.awaited.remove(id);
    }

    /// Forgets where a halt was read.
    pub fn forget(&mut self, id: &HaltId) {
        self.commits.remove(id);
        self.read.remove(id);
    }
}
