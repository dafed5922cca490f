//! The halts that are known, and those that have ended: a value that replicas tell each other, in any order.
//!
//! What is told may be wrong, or meant to do harm. It never replaces what is known, and takes only so much room: the
//! halts and the ends of this replica itself have room in any case.

mod ends;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use policies::Timestamp;
use serde::{Deserialize, Serialize};

use self::ends::Ends;
use super::halt::{Halt, HaltId};
use crate::{api::time::Time, source::ancestry::CommitId};

/// The most halts that somebody begins at this replica and that hold at once.
pub const MAX_OWN: usize = 32;
/// The most halts beside which another one is taken that somebody tells. All of them stand in one file in Git, and in
/// one message.
pub const MAX_TOLD: usize = 320;

/// Halts by their ids, and when those ended that have. An id that has ended stays so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    halts: BTreeMap<HaltId, Halt>,
    /// Those of them that somebody has begun at this replica.
    own: BTreeSet<HaltId>,
    #[serde(flatten)]
    ends: Ends,
}

impl Ledger {
    /// A ledger with these ends. Some have a commit of the branch that no longer has the halt.
    pub fn with_ends(ends: impl IntoIterator<Item = (HaltId, Timestamp, Option<CommitId>)>) -> Self {
        let mut ledger = Self::default();
        for (id, at, commit) in ends {
            ledger.ends.end(id.clone(), at);
            commit.into_iter().for_each(|commit| ledger.remove(id.clone(), at, commit));
        }
        ledger.let_go();
        ledger
    }

    /// The halts that hold, by id.
    pub fn halts(&self) -> impl Iterator<Item = &Halt> {
        self.halts.values()
    }

    /// Those of them that somebody has begun at this replica.
    pub fn own(&self) -> impl Iterator<Item = &Halt> {
        self.halts().filter(|halt| self.is_own(&halt.id))
    }

    /// True if somebody has begun this halt at this replica.
    pub fn is_own(&self, id: &HaltId) -> bool {
        self.own.contains(id)
    }

    /// True if this halt holds.
    pub fn has(&self, id: &HaltId) -> bool {
        self.halts.contains_key(id)
    }

    /// True if this halt has ended.
    pub fn has_ended(&self, id: &HaltId) -> bool {
        self.ends.has(id)
    }

    /// The ids of the halts that have ended.
    pub fn ended(&self) -> impl Iterator<Item = &HaltId> {
        self.ends.all().map(|(id, _)| id)
    }

    /// The same, each with the time of its end, and with what [`Self::removed_by`] says. If that was read later, the time
    /// is of that.
    pub fn ends(&self) -> impl Iterator<Item = (&HaltId, Time, Option<CommitId>)> {
        self.ends.all().map(|(id, at)| match self.ends.removal(id) {
            Some((read, commit)) => (id, at.max(read), Some(commit)),
            None => (id, at, None),
        })
    }

    /// A commit of the branch that no longer has a halt that has ended; `None` if that was never in Git.
    pub fn removed_by(&self, id: &HaltId) -> Option<CommitId> {
        self.ends.removal(id).map(|(_, commit)| commit)
    }

    /// A halt that has ended is not in this commit of the branch.
    pub fn remove(&mut self, id: HaltId, at: Timestamp, commit: CommitId) {
        self.ends.remove(id, at, commit);
    }

    /// Adds a halt, unless it has ended. One that is known stays as it is.
    pub fn add(&mut self, halt: Halt) {
        if !self.has_ended(&halt.id) {
            self.halts.entry(halt.id.clone()).or_insert(halt);
        }
    }

    /// Adds a halt that somebody has begun at this replica.
    pub fn begin(&mut self, halt: Halt) {
        if !self.has_ended(&halt.id) {
            self.own.insert(halt.id.clone());
            self.add(halt);
        }
    }

    /// Ends a halt: this replica has done so, or read it in Git.
    pub fn end(&mut self, id: HaltId, at: Timestamp) {
        self.ends.end(id, at);
        self.let_go();
    }

    /// This replica has read in Git that a halt has ended.
    pub fn confirm_end(&mut self, id: &HaltId) {
        self.ends.confirm(id);
    }

    /// Takes over what another replica has told. Returns the number of its halts for which there is no room.
    pub fn hear(&mut self, other: &Self, now: Timestamp) -> usize {
        self.ends.hear(&other.ends, |id| self.halts.contains_key(id), now);
        self.let_go();
        let mut left_out = 0;
        for halt in other.halts().filter(|halt| !self.ends.has(&halt.id)) {
            let is_full = self.halts.len() >= MAX_TOLD;
            match self.halts.entry(halt.id.clone()) {
                Entry::Occupied(_) => {}
                Entry::Vacant(_) if is_full => left_out += 1,
                Entry::Vacant(place) => {
                    // A clock that is ahead, or lies, may have times that cannot be told on.
                    place.insert(Halt { since: halt.since.min(Time(now)), ..halt.clone() });
                }
            }
        }
        left_out
    }

    /// Lets go of the halts that have ended.
    fn let_go(&mut self) {
        self.halts.retain(|id, _| !self.ends.has(id));
        self.own.retain(|id| self.halts.contains_key(id));
        self.ends.bound();
    }

    /// Forgets the ids that ended long before `now`.
    pub fn forget(&mut self, now: Timestamp) {
        self.ends.forget(now);
    }
}
