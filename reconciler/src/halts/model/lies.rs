//! What somebody tells replicas who means harm.

use std::collections::BTreeSet;

use policies::Timestamp;
use proptest::prelude::*;

use super::world::World;
use crate::{
    clock::now,
    halts::{
        halt::{Halt, HaltId},
        ledger::Ledger,
    },
    source::ancestry::CommitId,
};

/// What somebody tells who has the token of the replicas.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lie {
    /// A halt that nobody has begun.
    Halt,
    /// The ends of the halts that he made up, at a time of his clock.
    EndHis(Clock),
    /// The end of all halts, which he may tell. Commits that exist or not have removed them.
    EndAll(Clock, Option<u8>),
    /// Ends of halts that were never begun.
    Ends(Clock),
    /// Other halts under the ids of those that hold.
    Change(Clock),
    /// The halts that have ended hold.
    BringBack,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    Right,
    /// At the beginning of all time.
    Behind,
    /// At its end.
    Ahead,
}

impl Clock {
    fn now(self) -> Timestamp {
        match self {
            Self::Right => now(),
            Self::Behind => Timestamp::from_millis(0),
            Self::Ahead => Timestamp::from_millis(u64::MAX),
        }
    }
}

pub(super) fn lies() -> impl Strategy<Value = Lie> {
    let clock = || prop_oneof![Just(Clock::Right), Just(Clock::Behind), Just(Clock::Ahead)];
    prop_oneof![
        2 => Just(Lie::Halt),
        2 => clock().prop_map(Lie::EndHis),
        1 => (clock(), proptest::option::of(0..4_u8)).prop_map(|(clock, commit)| Lie::EndAll(clock, commit)),
        1 => clock().prop_map(Lie::Ends),
        1 => clock().prop_map(Lie::Change),
        2 => Just(Lie::BringBack),
    ]
}

impl World {
    /// What somebody tells. What he ends has ended.
    pub(super) fn lie(&mut self, lie: Lie) -> Ledger {
        let number = self.lies.len();
        let made_up = |number: usize| HaltId::parse(&format!("lie-{number}")).unwrap();
        let halt = |id: &HaltId, clock: Clock| Halt {
            since: clock.now().into(),
            id: id.clone(),
            by: "mallory".to_owned(),
            reason: "x".to_owned(),
        };
        let holding: BTreeSet<_> = self
            .replicas
            .iter()
            .flat_map(|replica| replica.book.ledger().halts().cloned().collect::<Vec<_>>())
            .collect();
        let holding = holding.into_iter().map(|halt| halt.id);
        let (mut halts, mut ends) = (Vec::new(), Vec::new());
        match lie {
            Lie::Halt => {
                let id = made_up(number);
                halts.push(halt(&id, Clock::Ahead));
                self.lies.insert(id);
            }
            Lie::EndHis(clock) => ends.extend(self.lies.iter().map(|id| (id.clone(), clock.now(), None))),
            Lie::EndAll(clock, commit) => {
                let commit = commit.map(|commit| CommitId([commit; 20]));
                ends.extend(holding.map(|id| (id, clock.now(), commit)));
            }
            Lie::Ends(clock) => ends.extend((1_000..1_020).map(|id| (made_up(id), clock.now(), None))),
            Lie::Change(clock) => halts.extend(holding.map(|id| halt(&id, clock))),
            Lie::BringBack => halts.extend(self.ended.iter().map(|id| halt(id, Clock::Right))),
        }
        self.ended.extend(ends.iter().map(|(id, _, _)| id.clone()));
        let mut told = Ledger::with_ends(ends);
        halts.into_iter().for_each(|halt| told.add(halt));
        told
    }
}
