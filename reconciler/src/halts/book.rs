//! The halts by HTTP of this replica: the one owner of what is known of them, and of the hold at the gate.

mod view;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use policies::Timestamp;
use tokio::sync::watch;
use tracing::{error, info, warn};

pub use self::view::View;
use super::{
    document,
    halt::{Halt, HaltId},
    in_git::{Branch, InGit, Read},
    ledger::Ledger,
    store::Store,
};
use crate::{
    clock::now,
    io_reason::io_reason,
    serving::{
        gate::{Gate, Halter},
        published::Published,
    },
    source::ancestry::CommitId,
    writes::outcome::Refusal,
};

/// The most halts at once, since all stand in one file.
const MAX_HALTS: usize = 32;
/// The time after which a halt that was pushed and not read since is put into Git again: its commit may have been forced
/// off the branch. Nothing is committed if it is there.
const PUT_AGAIN: Duration = Duration::from_secs(60);

/// The way in which halts can be committed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committing {
    /// Nobody may change anything by HTTP.
    Off,
    /// To the branch that is served.
    ToServed,
    /// To new branches only.
    ToOthers,
}

/// The halts of this replica.
#[derive(Debug)]
pub struct Book {
    gate: Arc<Gate>,
    committing: Committing,
    /// The reason why the halts that an earlier process stored cannot be read, and the way out. Somebody may have halted,
    /// so this replica holds; the others do not, and it is not committed.
    unreadable: Option<String>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    in_git: InGit,
    /// The halts that somebody is ending.
    ending: BTreeSet<HaltId>,
    /// The halts whose commit was pushed to another branch than the one that is served.
    proposed: BTreeSet<HaltId>,
    /// For each halt whose commit this process has begun, and that was not read since: the time of that.
    under_way: BTreeMap<HaltId, Instant>,
    failure: Option<Failure>,
    /// The reason why what ended halts left in Git is still there.
    removal_failure: Option<String>,
    /// The reason why the last attempt to resume came to nothing.
    resume_failure: Option<String>,
    store: Option<Store>,
    is_stored: bool,
    /// True once this process has read the branch.
    has_read: bool,
}

/// The reason why halts are not in Git yet.
#[derive(Clone, Debug)]
struct Failure {
    reason: String,
    /// The repository does not want them; to try again is not likely to help.
    is_refusal: bool,
}

/// What is to be done in Git.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// These are not in the branch yet.
    pub put: Vec<Halt>,
    /// These have ended, and are still in the branch.
    pub remove: Vec<HaltId>,
}

impl Book {
    /// Opens the book, and holds at once what an earlier process stored.
    pub fn open(gate: Arc<Gate>, store: Option<Store>, committing: Committing) -> Self {
        let (mut ledger, mut in_git) = (Ledger::default(), InGit::default());
        let mut unreadable = None;
        match store.as_ref().map(Store::load) {
            Some(Ok(Some(stored))) => (ledger, in_git) = (stored.ledger, stored.in_git),
            Some(Err(reason)) => {
                error!(reason, "cannot read the halts of the state directory: this replica is halted");
                unreadable = Some(format!(
                    "the stored halts ({reason}; move that file away and restart this replica, and halt again if it \
                     was halted)"
                ));
            }
            Some(Ok(None)) | None => {}
        }
        // What cannot be read is not replaced: a restart would let go.
        let store = store.filter(|_| unreadable.is_none());
        ledger.forget(now());
        for Halt { id, by, reason, .. } in ledger.halts() {
            warn!(%id, by, reason, "still halted: every snapshot is empty");
        }
        let state = State {
            ledger,
            in_git,
            ending: BTreeSet::new(),
            proposed: BTreeSet::new(),
            under_way: BTreeMap::new(),
            failure: None,
            removal_failure: None,
            resume_failure: None,
            is_stored: store.is_some(),
            has_read: false,
            store,
        };
        let book = Self {
            gate,
            committing,
            unreadable,
            state: Mutex::new(state),
            changed: watch::Sender::default(),
        };
        book.hold(&book.lock());
        book
    }

    /// A book with a gate of its own, that nobody serves from.
    pub fn closed() -> Self {
        Self::open(Arc::default(), None, Committing::Off)
    }

    /// The place to end a halt of this replica alone, in words, if the stored halts cannot be read.
    pub fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// Notices every change from now on.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Halts everything at once. The halt is always another one than those that hold already, which somebody may be
    /// ending elsewhere; the error says that there are too many. Blocks for the disk.
    pub fn halt(&self, by: &str, reason: &str) -> Result<Halt, String> {
        let mut state = self.lock();
        if state.ledger.halts().count() >= MAX_HALTS {
            return Err(format!(
                "everything is halted by {MAX_HALTS} halts already, and no other was added: if somebody is ending them, \
                 send this again once they have ended"
            ));
        }
        let halt = Halt::new(by, reason, now());
        state.ledger.add(halt.clone());
        state.failure = None;
        self.update(&mut state);
        warn!(id = %halt.id, by, reason, "halted: every snapshot is empty");
        Ok(halt)
    }

    /// Begins to end all halts that hold. A halt that begins from now on is another one.
    pub fn begin_end(&self) -> Vec<HaltId> {
        let mut state = self.lock();
        state.resume_failure = None;
        let ids: Vec<_> = state.ledger.halts().map(|halt| halt.id.clone()).collect();
        state.ending.extend(ids.iter().cloned());
        ids
    }

    /// These do not end after all.
    pub fn cancel_end(&self, ids: &[HaltId]) {
        self.lock().ending.retain(|id| !ids.contains(id));
        self.changed.send_replace(());
    }

    /// It is not known whether these have ended in Git. Those that the branch is known to have end once it is read
    /// without them; the others go on.
    pub fn end_is_unknown(&self, ids: &[HaltId]) {
        let mut state = self.lock();
        let State { ending, in_git, .. } = &mut *state;
        ending.retain(|id| in_git.has(id) || !ids.contains(id));
        self.changed.send_replace(());
    }

    /// The ids of halts that have ended. They come back into the branch if somebody reverts the commit that removed them.
    pub fn ended(&self) -> Vec<HaltId> {
        self.lock().ledger.ended().cloned().collect()
    }

    /// An attempt to resume has failed.
    pub fn resume_failed(&self, reason: &str) {
        self.lock().resume_failure = Some(reason.to_owned());
    }

    /// Ends halts. Blocks for the disk.
    pub fn end(&self, ids: &[HaltId]) {
        self.end_in(&mut self.lock(), ids, "it was ended");
    }

    /// What is served is another: the branch may have halts that are new here, or no longer have some. Blocks.
    pub fn read(&self, published: &Published) {
        let whole = &published.whole;
        // What is withdrawn says nothing, and neither does a directory.
        let commit =
            CommitId::of_revision(whole.revision.as_str()).filter(|_| published.holds.withdrawn.is_none());
        let Some((commit, commits)) = commit.zip(whole.ancestry.commits()) else { return };
        let of_file = whole.catalog.halts().iter().filter(|located| &*located.file == document::FILE);
        let halts: Vec<_> = of_file.filter_map(|located| document::halt(&located.halt)).collect();
        let halts = (!document::is_damaged(whole.catalog.problems())).then_some(halts.as_slice());
        self.read_branch(Branch { commit, commits, halts });
    }

    pub(super) fn read_branch(&self, branch: Branch<'_>) {
        let mut state = self.lock();
        state.has_read |= branch.halts.is_some();
        let before = (state.ledger.clone(), state.in_git.clone());
        branch.halts.unwrap_or_default().iter().cloned().for_each(|halt| state.ledger.add(halt));
        let State { in_git, ledger, under_way, ending, .. } = &mut *state;
        let Read { removed, forced } = in_git.read(branch, ledger, |id| under_way.contains_key(id));
        // To be put again, whoever tried to end them where they no longer are.
        ending.retain(|id| !forced.contains(id));
        // The commit of those that were read is under way no more, unless they have ended: then it is to be undone.
        under_way.retain(|id, _| !in_git.has_read(id) || ledger.has_ended(id));
        under_way.retain(|id, _| !removed.contains(id) && !forced.contains(id));
        let removed: Vec<_> = removed.into_iter().filter(|id| state.ledger.has(id)).collect();
        self.end_in(&mut state, &removed, "it was removed from the branch");
        if before != (state.ledger.clone(), state.in_git.clone()) {
            self.update(&mut state);
        }
    }

    /// Takes over what another replica knows. Blocks for the disk.
    pub fn merge(&self, other: &Ledger) {
        let mut state = self.lock();
        let before = state.ledger.clone();
        state.ledger.merge(other);
        state.ledger.forget(now());
        if before != state.ledger {
            self.update(&mut state);
        }
    }

    /// All halts that are known, and those that have ended.
    pub fn ledger(&self) -> Ledger {
        self.lock().ledger.clone()
    }

    /// What is to be done in Git now.
    pub fn work(&self) -> Work {
        self.work_at(Instant::now())
    }

    pub(super) fn work_at(&self, now: Instant) -> Work {
        let state = self.lock();
        if self.committing == Committing::Off {
            return Work::default();
        }
        let is_open = |halt: &&Halt| {
            let id = &halt.id;
            let is_in = state.in_git.has(id) && !state.is_overdue(id, now);
            !is_in && !state.ending.contains(id) && !state.proposed.contains(id)
        };
        let left = state.in_git.left().filter(|_| self.committing == Committing::ToServed);
        Work { put: state.ledger.halts().filter(is_open).cloned().collect(), remove: left.cloned().collect() }
    }

    /// The halts to put into Git now. From here on their commit is under way.
    pub fn begin_put(&self) -> Vec<Halt> {
        self.begin_put_at(Instant::now())
    }

    pub(super) fn begin_put_at(&self, begun: Instant) -> Vec<Halt> {
        let put = self.work_at(begun).put;
        self.lock().under_way.extend(put.iter().map(|halt| (halt.id.clone(), begun)));
        put
    }

    /// The next time at which a halt that was pushed and not read since is put into Git again.
    pub fn put_again(&self) -> Option<Instant> {
        let (state, now) = (self.lock(), Instant::now());
        let waiting = state.under_way.iter().filter(|(id, _)| state.in_git.has(id) && state.ledger.has(id));
        waiting.map(|(_, begun)| *begun + PUT_AGAIN).filter(|again| *again > now).min()
    }

    /// A commit of the branch that is served has these.
    pub fn pushed(&self, halts: &[Halt], commit: CommitId) {
        let mut state = self.lock();
        state.failure = None;
        state.in_git.pushed(halts.iter().map(|halt| halt.id.clone()), commit);
        self.update(&mut state);
    }

    /// A commit with these was pushed to another branch.
    pub fn proposed(&self, halts: &[Halt], branch: &str) {
        let mut state = self.lock();
        state.proposed.extend(halts.iter().map(|halt| halt.id.clone()));
        let reason = format!("the commit is on the branch `{branch}`, not on the one that is served");
        state.failure = Some(Failure { reason, is_refusal: true });
        self.changed.send_replace(());
    }

    /// The branch no longer has these, which have ended.
    pub fn removed(&self, ids: &[HaltId]) {
        let mut state = self.lock();
        state.removal_failure = None;
        state.in_git.removed(ids);
        state.under_way.retain(|id, _| !ids.contains(id));
    }

    /// What halts that have ended left in Git could not be removed.
    pub fn removal_failed(&self, refusal: &Refusal) {
        let reason = format!("a halt that has ended cannot be removed from Git: {}", refusal.reason());
        warn!(reason, "everything stays halted; it is tried again");
        self.lock().removal_failure = Some(reason);
    }

    /// True if the branch is known to have had one of these.
    pub fn has_in_git(&self, ids: &[HaltId]) -> bool {
        let state = self.lock();
        ids.iter().any(|id| state.in_git.has(id))
    }

    /// The work in Git has failed.
    pub fn failed(&self, refusal: &Refusal) {
        let is_refusal =
            matches!(refusal, Refusal::Forbidden(_) | Refusal::Conflict(_) | Refusal::Unprocessable(_));
        let reason = refusal.reason();
        warn!(reason, "a halt could not be written to Git; it is tried again");
        self.lock().failure = Some(Failure { reason, is_refusal });
    }

    fn end_in(&self, state: &mut State, ids: &[HaltId], why: &str) {
        let at: Timestamp = now();
        for id in ids {
            info!(%id, why, "a halt has ended");
            state.ledger.end(id.clone(), at);
            state.ending.remove(id);
            state.proposed.remove(id);
        }
        if state.ledger.halts().next().is_none() {
            state.resume_failure = None;
        }
        if !ids.is_empty() {
            self.update(state);
        }
    }

    /// Holds or lets go, and stores.
    fn update(&self, state: &mut State) {
        // First, since it is what counts.
        self.hold(state);
        if let Some(store) = &state.store {
            let saved = store.save(&state.ledger, &state.in_git);
            state.is_stored = saved.is_ok();
            if let Err(error) = saved {
                error!(error = io_reason(&error), "cannot store the halts in the state directory");
            }
        }
        self.changed.send_replace(());
    }

    fn hold(&self, state: &State) {
        let holds = state.ledger.halts().next().is_some() || self.unreadable.is_some();
        if self.gate.halt(Halter::Request, holds) && !holds {
            info!("no halt by HTTP holds any more");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each of its fields is replaced in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// True if a halt was pushed long ago, or by an earlier process, and not read since.
    fn is_overdue(&self, id: &HaltId, now: Instant) -> bool {
        match self.under_way.get(id) {
            Some(begun) => now.duration_since(*begun) >= PUT_AGAIN,
            None => self.has_read && !self.in_git.has_read(id),
        }
    }
}
