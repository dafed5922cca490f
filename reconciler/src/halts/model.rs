//! Random histories of several replicas: halts and their ends, lost messages, restarts, and what others do in Git.

mod histories;
mod lies;
mod steps;
mod world;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use self::{
    steps::{Peers, Step, steps},
    world::{REPLICAS, World, halts},
};

impl World {
    fn take(&mut self, step: Step) {
        match step {
            Step::Halt(replica) => {
                // One that finds too many is told that nothing was added.
                let Ok(halt) = self.replicas[replica].book.halt("alice", "r") else { return };
                assert!(!self.ended.contains(&halt.id), "nobody is ending a halt that is answered now");
                self.replicas[replica].holds.insert(halt.id);
                assert!(self.replicas[replica].gate.is_halted(), "it holds when it is answered");
            }
            Step::Resume(replica, ends) => self.resume(replica, ends),
            Step::Keep(replica, ends) => {
                self.keep(replica, ends);
            }
            Step::Push(replica) => {
                self.push(replica, false, Instant::now() + Duration::from_secs(10));
            }
            Step::Fetch(replica) => self.fetch(replica),
            Step::Restart(replica) => self.restart(replica),
            Step::Tell(one, other) => self.tell(one, other),
            Step::Lie(lie, replica) => {
                let told = self.lie(lie);
                self.hear(replica, &told);
            }
            Step::RemoveByHand => {
                self.ended.extend(halts(self.head().file.as_deref()).into_iter().map(|halt| halt.id));
                self.commit(None);
            }
            Step::Force if self.branch.len() > 1 => {
                self.branch.pop();
            }
            Step::Force => {}
            Step::Commit => {
                let file = self.head().file.clone();
                self.commit(file);
            }
            Step::PutBack => {
                let old = self.branch.iter().rev().map(|commit| &commit.file);
                let old = old.clone().find(|file| file.is_some() && **file != self.head().file).cloned();
                if let Some(file) = old {
                    // It removes what the old file did not have yet.
                    let kept: Vec<_> = halts(file.as_deref()).into_iter().map(|halt| halt.id).collect();
                    let removed = halts(self.head().file.as_deref()).into_iter().map(|halt| halt.id);
                    self.ended.extend(removed.filter(|id| !kept.contains(id)));
                    self.put_back.extend(kept);
                    self.commit(file);
                }
            }
        }
    }

    /// Nobody lets go of a halt that nobody has ended, and the gate does what the book says.
    fn check(&self) {
        for replica in &self.replicas {
            let ledger = replica.book.ledger();
            let lost: Vec<_> =
                replica.holds.iter().filter(|id| !self.ended.contains(id) && !ledger.has(id)).collect();
            assert!(lost.is_empty(), "{lost:?} are held no more, and nobody has ended them");
            let holds = ledger.halts().next().is_some() || replica.book.awaits();
            assert_eq!(replica.gate.is_halted(), holds);
        }
    }

    /// Nothing fails any more: all come to the same.
    fn settle(&mut self) {
        for _ in 0..6 {
            for replica in 0..REPLICAS {
                self.fetch(replica);
                // By then all that was pushed and not read is put again.
                while self.push(replica, false, Instant::now() + Duration::from_hours(1)) {
                    self.fetch(replica);
                }
                if self.peers > Peers::Nobody {
                    (0..REPLICAS).for_each(|other| self.tell(replica, other));
                }
            }
        }
        self.check();
        let in_git: BTreeMap<_, _> =
            halts(self.head().file.as_deref()).into_iter().map(|halt| (halt.id.clone(), halt)).collect();
        for (number, replica) in self.replicas.iter().enumerate() {
            let held: BTreeMap<_, _> =
                replica.book.ledger().halts().map(|halt| (halt.id.clone(), halt.clone())).collect();
            let ledger = replica.book.ledger();
            // One that was put back after its end holds by its document alone.
            let mut both = in_git.clone();
            both.retain(|id, _| !ledger.has_ended(id));
            assert!(
                held.keys().eq(both.keys()),
                "replica {number} holds {held:?}, and the branch has {both:?}"
            );
            // Who lies makes two halts of one id, of which each replica keeps what it heard first.
            assert!(self.peers == Peers::Liars || held == both, "{held:?}, {both:?}");
            if replica.book.awaits() {
                // The commit that it waits for was forced off: it holds until somebody resumes again.
                continue;
            }
            let durable = replica.book.view().durable;
            assert_eq!(durable, (!held.is_empty()).then_some(crate::api::halts::Durable::Git));
        }
    }
}

fn run(peers: Peers, steps: Vec<Step>) {
    let mut world = World::new(peers);
    for step in steps {
        world.take(step);
        world.check();
    }
    world.settle();
    // Whatever holds then, one request ends it.
    world.resume(0, false);
    world.settle();
    for replica in 0..REPLICAS {
        // Of what ended weeks ago, by another clock, no other one knows what to wait for.
        if peers == Peers::Liars && world.replicas[replica].book.awaits() {
            world.resume(replica, false);
        }
    }
    assert!(world.head().file.is_none(), "nothing is left in the branch");
    assert!(world.replicas.iter().all(|replica| !replica.gate.is_halted()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn replicas_that_meet_in_git_only_come_to_the_same(steps in steps(Peers::Nobody)) {
        run(Peers::Nobody, steps);
    }

    #[test]
    fn replicas_that_tell_each_other_come_to_the_same(steps in steps(Peers::Replicas)) {
        run(Peers::Replicas, steps);
    }

    #[test]
    fn nobody_who_lies_to_replicas_makes_them_let_go_of_a_halt_or_bring_one_back(steps in steps(Peers::Liars)) {
        run(Peers::Liars, steps);
    }
}
