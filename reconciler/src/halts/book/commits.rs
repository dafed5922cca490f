//! How far halts are on their way into Git.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::{
    halts::{
        halt::{Halt, HaltId},
        in_git::{InGit, Read},
        ledger::Ledger,
    },
    writes::outcome::Refusal,
};

/// The time after which a halt that was pushed and not read since is put into Git again: its commit may have been forced
/// off the branch. Nothing is committed if it is there.
const PUT_AGAIN: Duration = Duration::from_secs(60);

/// The time that the replica at which a halt began has for the commit of it, before the others make one.
const TURN: Duration = Duration::from_secs(3);

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

/// The commits of halts that this process makes.
#[derive(Debug)]
pub(super) struct Commits {
    pub(super) committing: Committing,
    /// For each halt whose commit this process has begun, and that was not read since: the time of that.
    under_way: BTreeMap<HaltId, Instant>,
    /// For each halt of which another replica told: the time of that.
    heard: BTreeMap<HaltId, Instant>,
    /// Those that are under way whose push has ended, and without which the branch was read after that: they have been forced off,
    /// so what comes later is not their commit.
    unseen: BTreeSet<HaltId>,
    /// The reason why halts are not in Git yet.
    pub(super) failure: Option<String>,
    /// The repository does not want them; to try again is not likely to help.
    is_refused: bool,
    /// The reason why what ended halts left in Git is still there.
    pub(super) removal_failure: Option<String>,
    /// True once this process has read the branch.
    has_read: bool,
}

impl Commits {
    pub(super) fn new(committing: Committing) -> Self {
        Self {
            committing,
            under_way: BTreeMap::new(),
            heard: BTreeMap::new(),
            unseen: BTreeSet::new(),
            failure: None,
            is_refused: false,
            removal_failure: None,
            has_read: false,
        }
    }

    /// What failed before is no reason any more.
    pub(super) fn begin_anew(&mut self) {
        (self.failure, self.is_refused) = (None, false);
    }

    /// The work in Git has failed.
    pub(super) fn failed(&mut self, refusal: &Refusal) {
        self.failure = Some(refusal.reason());
        self.is_refused =
            matches!(refusal, Refusal::Forbidden(_) | Refusal::Conflict(_) | Refusal::Unprocessable(_));
    }

    /// True if this replica commits a halt. On new branches people meet it, and one for each halt is enough.
    pub(super) fn takes(&self, id: &HaltId, ledger: &Ledger) -> bool {
        match self.committing {
            Committing::Off => false,
            Committing::ToServed => true,
            Committing::ToOthers => ledger.is_own(id),
        }
    }

    /// Another replica has told of these, where they began. It commits them.
    pub(super) fn heard(&mut self, halts: &[Halt], at: Instant) {
        self.heard.extend(halts.iter().map(|halt| (halt.id.clone(), at)));
    }

    /// Forgets what was noted of a halt that has ended, but for its commit.
    pub(super) fn forget(&mut self, id: &HaltId) {
        self.heard.remove(id);
    }

    /// The commit of these is under way.
    pub(super) fn begin(&mut self, halts: &[Halt], at: Instant) {
        self.under_way.extend(halts.iter().map(|halt| (halt.id.clone(), at)));
        self.unseen.retain(|id| !halts.iter().any(|halt| halt.id == *id));
    }

    /// The branch no longer has these, which have ended.
    pub(super) fn removed(&mut self, ids: &[HaltId]) {
        self.removal_failure = None;
        self.under_way.retain(|id, _| !ids.contains(id));
    }

    /// True if the commit of a halt has been begun, and may still arrive.
    pub(super) fn is_under_way(&self, id: &HaltId) -> bool {
        self.under_way.contains_key(id) && !self.unseen.contains(id)
    }

    /// The branch was read.
    pub(super) fn read(&mut self, in_git: &InGit, ledger: &Ledger, Read { removed, forced }: &Read) {
        // Nothing is under way of those that were read, unless they have ended: then it is to be undone.
        self.under_way.retain(|id, _| !in_git.has_read(id) || ledger.has_ended(id));
        self.under_way.retain(|id, _| !removed.contains(id) && !forced.contains(id));
        let is_unseen = |id: &&HaltId| in_git.has(id) && !in_git.has_read(id);
        self.unseen.extend(self.under_way.keys().filter(is_unseen).cloned());
        self.unseen.retain(|id| self.under_way.contains_key(id));
    }

    /// The branch was read, and its file is not damaged; true for the first time.
    pub(super) fn set_read(&mut self) -> bool {
        !std::mem::replace(&mut self.has_read, true)
    }

    /// True if a halt that holds is to be put into Git.
    pub(super) fn lacks(&self, id: &HaltId, in_git: &InGit, now: Instant) -> bool {
        let is_in = in_git.has(id) && !self.is_overdue(id, in_git, now);
        let is_of_another = self.heard.get(id).is_some_and(|heard| now.duration_since(*heard) < TURN);
        !is_in && !is_of_another && in_git.proposal(id).is_none()
    }

    /// True if a halt was pushed long ago, or by an earlier process, and not read since.
    fn is_overdue(&self, id: &HaltId, in_git: &InGit, now: Instant) -> bool {
        match self.under_way.get(id) {
            Some(begun) => now.duration_since(*begun) >= PUT_AGAIN,
            None => self.has_read && !in_git.has_read(id),
        }
    }

    /// The next time after `now` at which a halt is put into Git: one that was pushed and not read since, again, and one
    /// of another replica.
    pub(super) fn next_put(&self, in_git: &InGit, ledger: &Ledger, now: Instant) -> Option<Instant> {
        let pushed = self.under_way.iter().filter(|(id, _)| in_git.has(id) && ledger.has(id));
        let pushed = pushed.map(|(_, begun)| *begun + PUT_AGAIN);
        let heard = self.heard.iter().filter(|(id, _)| !in_git.has(id) && ledger.has(id));
        let heard = heard.map(|(_, heard)| *heard + TURN);
        pushed.chain(heard).filter(|next| *next > now).min()
    }

    /// True if nobody tries to commit a halt with any hope.
    pub(super) fn is_given_up(&self, id: &HaltId, in_git: &InGit) -> bool {
        self.is_refused || in_git.proposal(id).is_some()
    }
}
