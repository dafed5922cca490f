//! The replicas that tell this one of halts, whether it can tell them or not: filters find a replica that has just started
//! before DNS leads the others to it.

use std::collections::{BTreeSet, HashMap};

use tokio::time::{Duration, Instant};

use super::{halt::HaltId, ledger::Ledger};
use crate::{api::halts::HaltedReplica, peers::roster::is_mark};

/// The time for which one is remembered. It tells every 5 s, and may take 2 s for it.
const MEMORY: Duration = Duration::from_secs(10);
/// The most that are remembered.
const MAX_CALLERS: usize = 64;

/// The replicas that told this one of halts lately, by their marks.
#[derive(Debug, Default)]
pub(super) struct Callers(HashMap<String, Caller>);

#[derive(Debug)]
struct Caller {
    at: Instant,
    halted: bool,
    /// The halts that it knows, of those that began here.
    knows: BTreeSet<HaltId>,
}

impl Callers {
    /// Notes that the replica with this mark tells of halts, and of its state. `known`: what is known here.
    pub(super) fn note(&mut self, mark: &str, halted: bool, told: &Ledger, known: &Ledger, now: Instant) {
        self.0.retain(|_, caller| now - caller.at < MEMORY);
        let has_room = self.0.len() < MAX_CALLERS || self.0.contains_key(mark);
        if has_room && is_mark(mark) {
            let knows = known.own().map(|halt| halt.id.clone()).filter(|id| told.has(id)).collect();
            self.0.insert(mark.to_owned(), Caller { at: now, halted, knows });
        }
    }

    /// True if there is one that this replica does not ask.
    pub(super) fn has_other(&self, is_asked: impl Fn(&str) -> bool, now: Instant) -> bool {
        self.others(is_asked, now).next().is_some()
    }

    /// Those that may inject, as far as is known here, but those that this replica asks itself.
    pub(super) fn injecting(
        &self,
        known: &Ledger,
        is_asked: impl Fn(&str) -> bool,
        now: Instant,
    ) -> Vec<HaltedReplica> {
        let holds =
            |caller: &Caller| caller.halted && known.own().all(|halt| caller.knows.contains(&halt.id));
        let reason = "it asks this replica, and --peers has no address of it yet; it is told within 7 s";
        let unlisted =
            |_| HaltedReplica { error: Some(reason.to_owned()), halted: false, name: "unlisted".to_owned() };
        self.others(is_asked, now).filter(|caller| !holds(caller)).map(unlisted).collect()
    }

    fn others(&self, is_asked: impl Fn(&str) -> bool, now: Instant) -> impl Iterator<Item = &Caller> {
        let is_other = move |(mark, caller): &(&String, &Caller)| now - caller.at < MEMORY && !is_asked(mark);
        self.0.iter().filter(is_other).map(|(_, caller)| caller)
    }
}

#[cfg(test)]
mod tests {
    use super::{Callers, Duration, Instant, Ledger, MAX_CALLERS};
    use crate::{clock, halts::halt::Halt, peers::roster::mark};

    #[test]
    fn a_replica_that_cannot_be_told_may_inject_until_it_says_that_it_holds() {
        let (begin, none) = (Instant::now(), Ledger::default());
        let at = |second| begin + Duration::from_secs(second);
        let mut known = Ledger::default();
        known.begin(Halt::new("alice", "checkout is down", clock::now()));
        let (mut callers, [told, c]) = (Callers::default(), ["b", "c"].map(mark));
        let is_told = |mark: &str| mark == told;
        let injecting = |callers: &Callers, second| callers.injecting(&known, is_told, at(second)).len();
        for mark in [&told, &c, "no mark"] {
            callers.note(mark, false, &none, &known, at(0));
        }
        assert_eq!(injecting(&callers, 9), 1, "the other one is told");
        assert!(callers.has_other(is_told, at(9)) && !callers.has_other(|_| true, at(9)));
        assert_eq!(injecting(&callers, 10), 0, "it asks no more");
        callers.note(&c, true, &none, &known, at(10));
        assert_eq!(injecting(&callers, 11), 1, "another halt, which may end");
        callers.note(&c, true, &known, &known, at(12));
        assert_eq!(injecting(&callers, 13), 0);
        callers.note(&c, false, &known, &known, at(14));
        assert_eq!(injecting(&callers, 15), 1);
    }

    #[test]
    fn there_is_an_end_to_how_many_are_remembered() {
        let (mut callers, none, now) = (Callers::default(), Ledger::default(), Instant::now());
        for id in 0..2 * MAX_CALLERS {
            callers.note(&mark(&id.to_string()), false, &none, &none, now);
        }
        assert_eq!(callers.injecting(&none, |_| false, now).len(), MAX_CALLERS);
    }
}
