//! The halts by HTTP of this replica: the one owner of what is known of them, and of the hold at the gate.
//!
//! Nothing here waits for the disk or for Git, except [`Book::save`].
//!
//! - `commits`: how far halts are on their way into Git; `work`: what is to be done there.
//! - `reading`: what the branch says of halts. `ending`: the end of halts by a request.
//! - `saving`: what the disk has. `view`: what people are told.

mod commits;
mod ending;
mod reading;
mod saving;
mod view;
mod work;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use policies::Timestamp;
use tokio::sync::watch;
use tracing::{error, info, warn};

use self::{commits::Commits, ending::Ending, saving::Saved};
pub use self::{commits::Committing, view::View, work::Work};
use super::{
    document,
    halt::{Halt, HaltId},
    in_git::{Awaited, InGit},
    ledger::{Ledger, MAX_OWN},
    store::{Store, Stored},
};
use crate::{
    clock::now,
    serving::gate::{Gate, Halter},
};

/// The time after which a replica that told more halts than there was room for, and that does not answer, holds none of
/// them any more: it would have told them again.
const SILENCE: Duration = Duration::from_secs(60);

/// The halts of this replica.
#[derive(Debug)]
pub struct Book {
    clock: fn() -> Timestamp,
    gate: Arc<Gate>,
    /// The path of the file of the halts by HTTP.
    file: String,
    /// False for a directory, which has no commits to wait for.
    follows_branch: bool,
    /// The reason why the halts that an earlier process stored cannot be read, and the way out. Somebody may have halted,
    /// so this replica holds; the others do not, and it is not committed.
    unreadable: Option<String>,
    store: Option<Store>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    /// Changes with each end of an attempt to store.
    stored: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    in_git: InGit,
    commits: Commits,
    ending: Ending,
    saved: Saved,
    /// The last time that another replica told more halts than there is room for. Everything is held until all replicas
    /// have answered again.
    crowded: Option<Instant>,
}

impl Book {
    /// Opens the book, and holds at once what an earlier process stored. `directory` is the policy directory.
    pub fn open(
        directory: &str,
        gate: Arc<Gate>,
        store: Option<Store>,
        committing: Committing,
        follows_branch: bool,
    ) -> Self {
        Self::open_by(now, directory, gate, store, committing, follows_branch)
    }

    /// The same by a clock.
    pub(super) fn open_by(
        clock: fn() -> Timestamp,
        directory: &str,
        gate: Arc<Gate>,
        store: Option<Store>,
        committing: Committing,
        follows_branch: bool,
    ) -> Self {
        let (mut unreadable, mut known) = (None, None);
        match store.as_ref().map(Store::load) {
            Some(Ok(stored)) => known = stored,
            Some(Err(reason)) => {
                error!(reason, "cannot read the halts of the state directory: this replica is halted");
                unreadable = Some(format!(
                    "the stored halts ({reason}; move that file away and restart this replica, or in a cluster delete \
                     its pod, and halt again if it was halted)"
                ));
            }
            None => {}
        }
        // What cannot be read is not replaced: a restart would let go.
        let store = store.filter(|_| unreadable.is_none());
        let known = known.unwrap_or_else(|| Stored::new(Ledger::default(), InGit::default()));
        let Stored { mut ledger, mut in_git, .. } = known.clone();
        ledger.forget(clock());
        if !follows_branch {
            in_git.await_nothing();
        }
        for Halt { id, by, reason, .. } in ledger.halts() {
            warn!(%id, by, reason, "still halted: every snapshot is empty");
        }
        let state = State {
            ledger,
            in_git,
            commits: Commits::new(committing),
            ending: Ending::default(),
            saved: Saved::new(known),
            crowded: None,
        };
        let book = Self {
            clock,
            gate,
            file: document::path_below(directory),
            follows_branch,
            unreadable,
            store,
            state: Mutex::new(state),
            changed: watch::Sender::default(),
            stored: watch::Sender::default(),
        };
        book.hold();
        book
    }

    /// A book with a gate of its own, that nobody serves from.
    pub fn closed() -> Self {
        Self::open("", Arc::default(), None, Committing::Off, false)
    }

    /// The path of the file of the halts by HTTP.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The place to end a halt of this replica alone, in words, if the stored halts cannot be read.
    pub fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// Notices every change from now on.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Halts everything at once. The halt is another one than those that hold already, which somebody may be ending
    /// elsewhere, unless there are too many; the error says that all of these are being ended.
    pub fn halt(&self, by: &str, reason: &str) -> Result<Halt, String> {
        let mut state = self.lock();
        if state.ledger.own().count() >= MAX_OWN {
            let goes_on = state.ledger.own().find(|halt| !state.ending.has(&halt.id));
            return goes_on.cloned().ok_or_else(|| {
                format!("somebody is ending all {MAX_OWN} halts; send this again once they have ended")
            });
        }
        let halt = Halt::new(by, reason, (self.clock)());
        state.ledger.begin(halt.clone());
        state.commits.begin_anew();
        self.update(state);
        warn!(id = %halt.id, by, reason, "halted: every snapshot is empty");
        Ok(halt)
    }

    /// Takes over what another replica tells.
    pub fn hear(&self, told: &Ledger) {
        let (mut state, now) = (self.lock(), (self.clock)());
        let before = state.ledger.clone();
        let left_out = state.ledger.hear(told, now);
        let is_newly_crowded = left_out > 0 && state.crowded.replace(Instant::now()).is_none();
        if is_newly_crowded {
            warn!(
                left_out,
                "another replica tells more halts than there is room for: every snapshot is empty"
            );
        }
        let awaited = if self.follows_branch { state.to_await(&before) } else { Vec::new() };
        state.in_git.await_removal(awaited);
        state.ledger.forget(now);
        if before == state.ledger {
            drop(state);
            // Otherwise nothing is to be published. To ask the gate all the same could take as long as a publication under way,
            // and the replica that tells this waits for an answer.
            if is_newly_crowded {
                self.hold();
            }
            return;
        }
        let begun = state.ledger.halts().filter(|halt| !before.has(&halt.id));
        let begun: Vec<_> = begun.cloned().collect();
        state.commits.heard(&begun, Instant::now());
        if let Some(Halt { id, by, reason, .. }) = begun.first() {
            let halts = begun.len();
            warn!(%id, by, reason, halts, "halted by another replica: every snapshot is empty");
        }
        let ended: Vec<_> =
            before.halts().map(|halt| halt.id.clone()).filter(|id| state.ledger.has_ended(id)).collect();
        if let Some(id) = ended.first() {
            info!(%id, halts = ended.len(), "another replica has ended a halt");
        }
        ended.iter().for_each(|id| state.forget(id));
        self.update(state);
    }

    /// All other replicas have been asked for their halts then. Without the answers of all of them, one may hold a halt for
    /// which there was no room.
    pub fn has_asked(&self, at: Instant, have_all_answered: bool) {
        let mut state = self.lock();
        let is_over = |crowded: &mut Instant| {
            *crowded < at && (have_all_answered || at.duration_since(*crowded) >= SILENCE)
        };
        if state.crowded.take_if(is_over).is_some() {
            self.update(state);
        }
    }

    /// True if somebody has begun this halt at this replica.
    pub fn is_own(&self, id: &HaltId) -> bool {
        self.lock().ledger.is_own(id)
    }

    /// All halts that are known, and those that have ended.
    pub fn ledger(&self) -> Ledger {
        self.lock().ledger.clone()
    }

    /// True if a halt holds that another replica has ended in Git, where this one is behind.
    pub fn awaits(&self) -> bool {
        self.lock().in_git.awaited().next().is_some()
    }

    /// Holds or lets go, and tells that something has changed. Nobody waits for the state while that is served.
    fn update(&self, state: MutexGuard<'_, State>) {
        drop(state);
        self.hold();
        self.changed.send_replace(());
    }

    fn hold(&self) {
        if self.gate.halt_by(Halter::Request, || self.halting()) && !self.halting().0 {
            info!("no halt by HTTP holds any more");
        }
    }

    /// True if a halt holds, and who has begun it and why.
    fn halting(&self) -> (bool, Option<String>) {
        let state = self.lock();
        let holds = state.held().next().is_some() || state.crowded.is_some() || self.unreadable.is_some();
        (holds, state.held().min().map(|Halt { by, reason, .. }| format!("{by}: {reason}")))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each of its fields is replaced in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The halts that hold here, also those that have ended and whose removal this replica has not read.
    fn held(&self) -> impl Iterator<Item = &Halt> {
        self.ledger.halts().chain(self.in_git.awaited().map(|awaited| &awaited.halt))
    }

    /// The halts that were held `before` and have ended by a commit. What is served may be older than that commit, and
    /// have what people removed under the halt.
    fn to_await(&self, before: &Ledger) -> Vec<Awaited> {
        let held = before.halts().chain(self.in_git.awaited().map(|awaited| &awaited.halt));
        let awaited = held.filter_map(|halt| {
            let commit = self.ledger.removed_by(&halt.id)?;
            Some(Awaited { halt: halt.clone(), commit })
        });
        awaited.collect()
    }

    /// Forgets what was begun for a halt that has ended.
    fn forget(&mut self, id: &HaltId) {
        self.ending.forget(id);
        self.commits.forget(id);
        self.in_git.forget_proposal(id);
    }
}
