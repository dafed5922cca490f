//! The halts that are known, and those that have ended: a value that replicas can merge in any order.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use policies::Timestamp;
use serde::{Deserialize, Serialize};

use super::halt::{Halt, HaltId};
use crate::{api::time::Time, source::ancestry::CommitId};

/// The time for which the id of a halt that has ended is remembered, so that nobody who was away brings it back.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Halts by their ids, and when those ended that have. An id that has ended stays so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    halts: BTreeMap<HaltId, Halt>,
    ended: BTreeMap<HaltId, Time>,
    /// For those that were in Git: a commit of the branch that no longer has them.
    removed: BTreeMap<HaltId, Removal>,
}

/// The commit without which a replica goes on holding. The latest is what counts: an earlier one may have been forced off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Removal {
    at: Time,
    commit: CommitId,
}

impl Ledger {
    /// The halts that hold, by id.
    pub fn halts(&self) -> impl Iterator<Item = &Halt> {
        self.halts.values()
    }

    /// True if this halt holds.
    pub fn has(&self, id: &HaltId) -> bool {
        self.halts.contains_key(id)
    }

    /// True if this halt has ended.
    pub fn has_ended(&self, id: &HaltId) -> bool {
        self.ended.contains_key(id)
    }

    /// The ids of the halts that have ended.
    pub fn ended(&self) -> impl Iterator<Item = &HaltId> {
        self.ended.keys()
    }

    /// The same, each with the time of its end.
    pub fn ended_at(&self) -> impl Iterator<Item = (&HaltId, Time)> {
        self.ended.iter().map(|(id, at)| (id, *at))
    }

    /// A commit of the branch that no longer has a halt that has ended; `None` if that was never in Git.
    pub fn removed_by(&self, id: &HaltId) -> Option<CommitId> {
        self.removed.get(id).map(|removal| removal.commit)
    }

    /// A halt that has ended is not in this commit of the branch.
    pub fn remove(&mut self, id: HaltId, at: Timestamp, commit: CommitId) {
        let new = Removal { at: Time(at), commit };
        let known = self.removed.entry(id).or_insert(new);
        *known = new.max(*known);
    }

    /// Adds a halt, unless it has ended.
    pub fn add(&mut self, halt: Halt) {
        if self.ended.contains_key(&halt.id) {
            return;
        }
        match self.halts.entry(halt.id.clone()) {
            Entry::Vacant(place) => {
                place.insert(halt);
            }
            // The same on every replica, should somebody have made two of one id.
            Entry::Occupied(mut known) if halt < *known.get() => {
                known.insert(halt);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// Ends a halt.
    pub fn end(&mut self, id: HaltId, at: Timestamp) {
        self.halts.remove(&id);
        let at = Time(at);
        let known = self.ended.entry(id).or_insert(at);
        *known = at.max(*known);
    }

    /// Takes over all that another ledger knows.
    pub fn merge(&mut self, other: &Self) {
        for (id, Time(at)) in &other.ended {
            self.end(id.clone(), *at);
        }
        for (id, Removal { at: Time(at), commit }) in &other.removed {
            self.remove(id.clone(), *at, *commit);
        }
        other.halts.values().cloned().for_each(|halt| self.add(halt));
    }

    /// Forgets the ids that ended long before `now`.
    pub fn forget(&mut self, now: Timestamp) {
        self.ended.retain(|_, Time(at)| now.millis_since(*at) <= REMEMBERED.as_millis() as u64);
        self.removed.retain(|id, _| self.ended.contains_key(id));
    }
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;
    use proptest::prelude::*;

    use super::{Ledger, REMEMBERED};
    use crate::{
        api::time::Time,
        halts::halt::{Halt, HaltId},
        source::ancestry::CommitId,
    };

    fn id(number: u8) -> HaltId {
        HaltId::parse(&format!("h{number}")).unwrap()
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn halt(number: u8, since: u64) -> Halt {
        Halt { since: Time(at(since)), id: id(number), by: "alice".to_owned(), reason: "r".to_owned() }
    }

    /// What somebody did, in any order: begun a halt, or ended one.
    fn ledger() -> impl Strategy<Value = Ledger> {
        let step = (0..5_u8, any::<bool>(), 0..3_u64);
        prop::collection::vec(step, 0..8).prop_map(|steps| {
            let mut ledger = Ledger::default();
            for (number, begins, time) in steps {
                if begins {
                    ledger.add(halt(number, time));
                } else {
                    ledger.end(id(number), at(time));
                    if number > 2 {
                        ledger.remove(id(number), at(time), CommitId([number; 20]));
                    }
                }
            }
            ledger
        })
    }

    fn merged(one: &Ledger, other: &Ledger) -> Ledger {
        let mut merged = one.clone();
        merged.merge(other);
        merged
    }

    proptest! {
        #[test]
        fn to_merge_is_commutative_associative_and_idempotent(a in ledger(), b in ledger(), c in ledger()) {
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&a, &a), a.clone());
            prop_assert_eq!(merged(&merged(&a, &b), &b), merged(&a, &b));
        }

        #[test]
        fn what_one_has_ended_holds_for_nobody_and_all_else_holds(a in ledger(), b in ledger()) {
            let both = merged(&a, &b);
            for number in 0..5 {
                let id = id(number);
                prop_assert_eq!(both.has_ended(&id), a.has_ended(&id) || b.has_ended(&id));
                prop_assert_eq!(both.has(&id), (a.has(&id) || b.has(&id)) && !both.has_ended(&id));
            }
        }

        #[test]
        fn it_is_read_back(ledger in ledger()) {
            let json = serde_json::to_string(&ledger).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
        }
    }

    #[test]
    fn an_id_that_has_ended_is_remembered_for_seven_days() {
        let mut ledger = Ledger::default();
        ledger.end(id(1), at(0));
        let week = REMEMBERED.as_millis() as u64;
        ledger.forget(at(week));
        ledger.add(halt(1, 5));
        assert!(!ledger.has(&id(1)) && ledger.has_ended(&id(1)));
        ledger.forget(at(week + 1));
        assert!(!ledger.has_ended(&id(1)));
        // A clock that is behind forgets nothing.
        ledger.end(id(2), at(week * 2));
        ledger.forget(at(0));
        assert!(ledger.has_ended(&id(2)));
    }
}
