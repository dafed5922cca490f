//! Random histories of several replicas: halts and their ends, lost messages, restarts, and what others do in Git.

mod histories;
mod lies;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use tempfile::TempDir;

use self::lies::{Lie, lies};
use super::{
    book::{Book, Committing},
    document,
    halt::{Halt, HaltId},
    in_git::Branch,
    ledger::Ledger,
    store::Store,
    telling,
};
use crate::{clock::now, serving::gate::Gate, source::ancestry::CommitId, writes::file_change::Edited};
use policies::{File, Timestamp};

const REPLICAS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Halt(usize),
    /// Ends all halts; the process may end directly after the removal was pushed.
    Resume(usize, bool),
    /// Does the work in Git; the process may end directly after the push.
    Keep(usize, bool),
    /// Does the work in Git, and the branch is not read after that.
    Push(usize),
    Fetch(usize),
    Restart(usize),
    /// One tells the other all that it knows.
    Tell(usize, usize),
    /// Somebody who is no replica tells one of them what harms most.
    Lie(Lie, usize),
    /// Somebody removes the file by a commit.
    RemoveByHand,
    /// Somebody forces the branch back by one commit.
    Force,
    /// Somebody commits something else.
    Commit,
    /// Somebody reverts the last commit that removed halts, or takes the file out of an old commit.
    PutBack,
}

/// The time beside the right one, in days.
fn days<const DAYS: i64>() -> Timestamp {
    let now = now().millis_since(Timestamp::from_millis(0));
    Timestamp::from_millis(now.saturating_add_signed(DAYS * 24 * 3_600_000))
}

/// Wrong clocks: more than a week apart, so that one has forgotten what the other has just ended.
const CLOCKS: [fn() -> Timestamp; REPLICAS] = [now, days::<30>, days::<-30>];

/// Who tells replicas of halts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Peers {
    Nobody,
    Replicas,
    /// Replicas with wrong clocks, and somebody who lies.
    Liars,
}

fn steps(peers: Peers) -> impl Strategy<Value = Vec<Step>> {
    let replica = 0..REPLICAS;
    let step = prop_oneof![
        3 => replica.clone().prop_map(Step::Halt),
        2 => (replica.clone(), any::<bool>()).prop_map(|(replica, ends)| Step::Resume(replica, ends)),
        5 => (replica.clone(), any::<bool>()).prop_map(|(replica, ends)| Step::Keep(replica, ends)),
        2 => replica.clone().prop_map(Step::Push),
        4 => replica.clone().prop_map(Step::Fetch),
        2 => replica.clone().prop_map(Step::Restart),
        if peers > Peers::Nobody { 4 } else { 1 } => (replica.clone(), replica.clone()).prop_map(move |(one, other)| {
            if peers > Peers::Nobody { Step::Tell(one, other) } else { Step::Fetch(one) }
        }),
        if peers == Peers::Liars { 8 } else { 1 } => (lies(), replica).prop_map(move |(lie, replica)| {
            if peers == Peers::Liars { Step::Lie(lie, replica) } else { Step::Fetch(replica) }
        }),
        1 => Just(Step::RemoveByHand),
        1 => Just(Step::Force),
        1 => Just(Step::Commit),
        2 => Just(Step::PutBack),
    ];
    prop::collection::vec(step, 1..40)
}

/// A commit: its id and the file.
#[derive(Clone, Debug)]
struct Commit {
    id: CommitId,
    file: Option<Vec<u8>>,
}

struct Replica {
    clock: fn() -> Timestamp,
    gate: Arc<Gate>,
    book: Book,
    /// Present if it has a state directory.
    state: Option<TempDir>,
    /// The halts that it must hold, unless somebody has ended them.
    holds: BTreeSet<HaltId>,
    /// The halts without which it has read the branch, although that had them before, and that it has not put there since.
    missed: BTreeSet<HaltId>,
}

struct World {
    branch: Vec<Commit>,
    commits: u8,
    replicas: Vec<Replica>,
    /// The halts that somebody has ended.
    ended: BTreeSet<HaltId>,
    /// The halts that the branch has or had.
    committed: BTreeSet<HaltId>,
    /// The halts that a person has put back. What another replica puts, since it does not know of the end, is not.
    put_back: BTreeSet<HaltId>,
    /// The halts that somebody made up.
    lies: BTreeSet<HaltId>,
    peers: Peers,
}

fn halts(file: Option<&[u8]>) -> Vec<Halt> {
    let file = File::read(file.unwrap_or_default());
    assert!(file.findings.is_empty() || file.halts().next().is_none(), "{:?}", file.findings);
    file.halts().filter_map(|halt| document::halt(halt)).collect()
}

fn open(state: Option<&TempDir>, clock: fn() -> Timestamp) -> (Arc<Gate>, Book) {
    let store = state.map(|state| Store::new(state.path().to_owned(), "main".to_owned(), None));
    open_with(store, clock, Committing::ToServed)
}

fn open_with(store: Option<Store>, clock: fn() -> Timestamp, committing: Committing) -> (Arc<Gate>, Book) {
    let gate = Arc::<Gate>::default();
    (Arc::clone(&gate), Book::open_by(clock, "", gate, store, committing, true))
}

impl World {
    fn new(peers: Peers) -> Self {
        let replica = |number: usize| {
            // One of them remembers nothing.
            let state = (number > 0).then(|| tempfile::tempdir().unwrap());
            let clock = if peers == Peers::Liars { CLOCKS[number] } else { now };
            let (gate, book) = open(state.as_ref(), clock);
            Replica { clock, gate, book, state, holds: BTreeSet::new(), missed: BTreeSet::new() }
        };
        let first = Commit { id: CommitId([0; 20]), file: None };
        let replicas = (0..REPLICAS).map(replica).collect();
        Self {
            branch: vec![first],
            commits: 0,
            replicas,
            ended: BTreeSet::new(),
            committed: BTreeSet::new(),
            put_back: BTreeSet::new(),
            lies: BTreeSet::new(),
            peers,
        }
    }

    fn head(&self) -> &Commit {
        self.branch.last().unwrap()
    }

    fn commit(&mut self, file: Option<Vec<u8>>) -> CommitId {
        self.commits += 1;
        let id = CommitId([self.commits; 20]);
        self.committed.extend(halts(file.as_deref()).into_iter().map(|halt| halt.id));
        self.branch.push(Commit { id, file });
        id
    }

    fn fetch(&mut self, replica: usize) {
        let commits: HashSet<_> = self.branch.iter().map(|commit| commit.id).collect();
        let present = halts(self.head().file.as_deref());
        let branch = Branch { commit: self.head().id, commits: &commits, halts: Some(&present) };
        let replica = &mut self.replicas[replica];
        replica.book.read_branch(branch);
        let is_missing = |id: &&HaltId| !present.iter().any(|halt| halt.id == **id);
        replica.missed.extend(self.committed.iter().filter(is_missing).cloned());
        replica.holds.extend(present.into_iter().map(|halt| halt.id));
    }

    /// What the task that keeps the file does. True if it had something to do.
    fn keep(&mut self, replica: usize, ends: bool) -> bool {
        // The turn of the replica where a halt began is over.
        self.push(replica, ends, Instant::now() + Duration::from_secs(10)) && {
            // A push is fetched at once.
            self.fetch(replica);
            true
        }
    }

    /// Does the work of a time, without a fetch after that.
    fn push(&mut self, replica: usize, ends: bool, now: Instant) -> bool {
        let work = self.replicas[replica].book.work_at(now);
        let file = self.head().file.clone();
        if !work.remove.is_empty() {
            let is_back =
                |id: &&HaltId| self.put_back.contains(*id) && self.replicas[replica].missed.contains(*id);
            let back: Vec<_> = work.remove.iter().filter(is_back).collect();
            assert!(
                back.is_empty(),
                "{back:?} came back by a commit of somebody, and replica {replica} removes them"
            );
            if let Edited::Changed(file) = document::without(file.as_deref(), &work.remove, &[]).unwrap() {
                self.commit(file);
            }
            self.replicas[replica].book.removed(&work.remove);
        } else if !work.put.is_empty() {
            let put = self.replicas[replica].book.begin_put_at(now, &[]);
            self.replicas[replica].missed.retain(|id| !put.iter().any(|halt| halt.id == *id));
            assert!(self.replicas[replica].book.wants(&put), "what is begun is pushed");
            let commit = match document::with(file.as_deref(), &put).unwrap() {
                Edited::Changed(file) => self.commit(file),
                _ => self.head().id,
            };
            if ends {
                self.restart(replica);
                return true;
            }
            self.replicas[replica].book.pushed(&put, commit);
        } else {
            return false;
        }
        true
    }

    fn resume(&mut self, replica: usize, ends: bool) {
        let ids = self.replicas[replica].book.begin_end();
        let file = self.head().file.clone();
        let book = &self.replicas[replica].book;
        let removed: Vec<_> = ids.iter().cloned().chain(book.ended()).collect();
        let has_in_git = book.has_in_git(&ids);
        let is_changed = document::without(file.as_deref(), &removed, &[]).unwrap();
        let mut commit = has_in_git.then_some(self.head().id);
        if let Edited::Changed(file) = is_changed {
            // In Git it has ended, whatever becomes of the process.
            let left = halts(file.as_deref());
            let removed = halts(self.head().file.as_deref()).into_iter().map(|halt| halt.id);
            self.ended.extend(removed.filter(|id| !left.iter().any(|halt| halt.id == *id)));
            commit = Some(self.commit(file));
            if ends {
                return self.restart(replica);
            }
            self.fetch(replica);
        }
        self.replicas[replica].book.lacks_ended(self.head().id);
        self.fetch(replica);
        self.ended.extend(ids.iter().cloned());
        self.replicas[replica].book.end(&ids, commit);
    }

    fn restart(&mut self, replica: usize) {
        let replica = &mut self.replicas[replica];
        replica.book.save();
        (replica.gate, replica.book) = open(replica.state.as_ref(), replica.clock);
        if replica.state.is_none() {
            replica.holds.clear();
        }
    }

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

    fn tell(&mut self, one: usize, other: usize) {
        let told = telling::tell(&self.replicas[one].book.ledger(), true);
        let (told, read) = telling::read(told);
        read.unwrap();
        self.hear(other, &told);
    }

    fn hear(&mut self, replica: usize, told: &Ledger) {
        let replica = &mut self.replicas[replica];
        let before = replica.book.ledger();
        replica.book.hear(told);
        let after = replica.book.ledger();
        let back: Vec<_> = before.ended().filter(|id| after.has(id)).collect();
        assert!(back.is_empty(), "{back:?} had ended and hold again");
        replica
            .holds
            .extend(told.halts().filter(|halt| !before.has_ended(&halt.id)).map(|halt| halt.id.clone()));
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
