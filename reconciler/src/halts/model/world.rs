//! Several replicas, the branch that they share, and what is known of all halts.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use policies::{File, Timestamp};
use tempfile::TempDir;

use super::steps::Peers;
use crate::{
    clock::now,
    halts::{
        book::{Book, Committing},
        document,
        halt::{Halt, HaltId},
        in_git::Branch,
        ledger::Ledger,
        store::Store,
        telling,
    },
    serving::gate::Gate,
    source::ancestry::CommitId,
    writes::file_change::Edited,
};

pub(super) const REPLICAS: usize = 3;

/// The time beside the right one, in days.
fn days<const DAYS: i64>() -> Timestamp {
    let now = now().millis_since(Timestamp::from_millis(0));
    Timestamp::from_millis(now.saturating_add_signed(DAYS * 24 * 3_600_000))
}

/// Wrong clocks: more than a week apart, so that one has forgotten what the other has just ended.
const CLOCKS: [fn() -> Timestamp; REPLICAS] = [now, days::<30>, days::<-30>];

/// A commit: its id and the file.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) id: CommitId,
    pub(super) file: Option<Vec<u8>>,
}

pub(super) struct Replica {
    pub(super) clock: fn() -> Timestamp,
    pub(super) gate: Arc<Gate>,
    pub(super) book: Book,
    /// Present if it has a state directory.
    pub(super) state: Option<TempDir>,
    /// The halts that it must hold, unless somebody has ended them.
    pub(super) holds: BTreeSet<HaltId>,
    /// The halts without which it has read the branch, although that had them before, and that it has not put there since.
    pub(super) missed: BTreeSet<HaltId>,
}

pub(super) struct World {
    pub(super) branch: Vec<Commit>,
    pub(super) commits: u8,
    pub(super) replicas: Vec<Replica>,
    /// The halts that somebody has ended.
    pub(super) ended: BTreeSet<HaltId>,
    /// The halts that the branch has or had.
    pub(super) committed: BTreeSet<HaltId>,
    /// The halts that a person has put back. What another replica puts, since it does not know of the end, is not.
    pub(super) put_back: BTreeSet<HaltId>,
    /// The halts that somebody made up.
    pub(super) lies: BTreeSet<HaltId>,
    pub(super) peers: Peers,
}

pub(super) fn halts(file: Option<&[u8]>) -> Vec<Halt> {
    let file = File::read(file.unwrap_or_default());
    assert!(file.findings.is_empty() || file.halts().next().is_none(), "{:?}", file.findings);
    file.halts().filter_map(|halt| document::halt(halt)).collect()
}

pub(super) fn open(state: Option<&TempDir>, clock: fn() -> Timestamp) -> (Arc<Gate>, Book) {
    let store = state.map(|state| Store::new(state.path().to_owned(), "main".to_owned(), None));
    open_with(store, clock, Committing::ToServed)
}

pub(super) fn open_with(
    store: Option<Store>,
    clock: fn() -> Timestamp,
    committing: Committing,
) -> (Arc<Gate>, Book) {
    let gate = Arc::<Gate>::default();
    (Arc::clone(&gate), Book::open_by(clock, "", gate, store, committing, true))
}

impl World {
    pub(super) fn new(peers: Peers) -> Self {
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

    pub(super) fn head(&self) -> &Commit {
        self.branch.last().unwrap()
    }

    pub(super) fn commit(&mut self, file: Option<Vec<u8>>) -> CommitId {
        self.commits += 1;
        let id = CommitId([self.commits; 20]);
        self.committed.extend(halts(file.as_deref()).into_iter().map(|halt| halt.id));
        self.branch.push(Commit { id, file });
        id
    }

    pub(super) fn fetch(&mut self, replica: usize) {
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
    pub(super) fn keep(&mut self, replica: usize, ends: bool) -> bool {
        // The turn of the replica where a halt began is over.
        self.push(replica, ends, Instant::now() + Duration::from_secs(10)) && {
            // A push is fetched at once.
            self.fetch(replica);
            true
        }
    }

    /// Does the work of a time, without a fetch after that.
    pub(super) fn push(&mut self, replica: usize, ends: bool, now: Instant) -> bool {
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

    pub(super) fn resume(&mut self, replica: usize, ends: bool) {
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

    pub(super) fn restart(&mut self, replica: usize) {
        let replica = &mut self.replicas[replica];
        replica.book.save();
        (replica.gate, replica.book) = open(replica.state.as_ref(), replica.clock);
        if replica.state.is_none() {
            replica.holds.clear();
        }
    }

    pub(super) fn tell(&mut self, one: usize, other: usize) {
        let told = telling::tell(&self.replicas[one].book.ledger(), true);
        let (told, read) = telling::read(told);
        read.unwrap();
        self.hear(other, &told);
    }

    pub(super) fn hear(&mut self, replica: usize, told: &Ledger) {
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
}
