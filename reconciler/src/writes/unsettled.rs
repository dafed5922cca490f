//! Pushes whose end is not known. The repository that was pushed to is asked until it tells.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    order::Order,
    outcome::Done,
    pending::{Link, Pending},
};
use crate::source::{ancestry::CommitId, writing::BranchName};
use policies::Digest;

/// The pause after the first question. It doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The number of outcomes that are remembered for clients that did not hear them, and for how long.
const MAX_REMEMBERED: usize = 256;
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// The pushes whose end is not known, and ends that nobody heard.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    pub(super) pushes: Vec<Parked>,
    unheard: VecDeque<(Digest, Done, Instant)>,
}

/// A push whose end is not known.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) from: CommitId,
    pub(super) tip: CommitId,
    /// The new branch that was pushed to, if it was not the served one.
    pub(super) new_branch: Option<BranchName>,
    pub(super) links: Vec<Link>,
    pause: Duration,
    pub(super) next: Instant,
}

impl Unsettled {
    /// The time until somebody is to be asked; absent if nothing is unsettled.
    pub(super) fn next_look(&self) -> Option<Duration> {
        let next = self.pushes.iter().map(|parked| parked.next).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    pub(super) fn park(&mut self, parked: Parked) {
        self.pushes.push(parked);
    }

    /// Remembers an outcome that nobody heard: the same request again is told it.
    pub(super) fn remember(&mut self, fingerprint: Digest, done: Done) {
        if self.unheard.len() >= MAX_REMEMBERED {
            self.unheard.pop_front();
        }
        self.unheard.push_back((fingerprint, done, Instant::now()));
    }

    pub(super) fn commit_of(&self, fingerprint: Digest) -> Option<CommitId> {
        let mut links = self.pushes.iter().flat_map(|parked| &parked.links);
        links.find(|link| link.pending.order.fingerprint == fingerprint).map(|link| link.commit)
    }

    /// A push whose end is not known, of a policy that this request concerns too.
    pub(super) fn about(&self, order: &Order) -> Option<&Parked> {
        self.pushes.iter().find(|parked| parked.new_branch.is_none() && parked.concerns(order))
    }

    /// The outcome of the same request, sent before, if nobody heard it.
    pub(super) fn unheard(&self, fingerprint: Digest) -> Option<&Done> {
        let mut newest = self.unheard.iter().rev();
        let found = newest.find(|(known, _, at)| *known == fingerprint && at.elapsed() < REMEMBERED);
        found.map(|(_, done, _)| done)
    }

    /// The same, which is forgotten.
    pub(super) fn take_unheard(&mut self, fingerprint: Digest) -> Option<Done> {
        let found = self.unheard(fingerprint).cloned();
        self.unheard.retain(|(known, _, _)| *known != fingerprint);
        found
    }
}

impl Parked {
    /// The push of `tip` on top of `from`.
    pub(super) fn new(
        from: CommitId,
        tip: CommitId,
        new_branch: Option<BranchName>,
        links: Vec<Link>,
    ) -> Self {
        Self { from, tip, new_branch, links, pause: FIRST_PAUSE, next: Instant::now() + FIRST_PAUSE }
    }

    /// True if a request is about a policy of this push.
    pub(super) fn concerns(&self, order: &Order) -> bool {
        let names = order.names();
        let mut known = self.links.iter().flat_map(|link| link.pending.order.names());
        known.any(|name| names.contains(&name))
    }

    /// True if somebody waits for the push, or asks for the same again.
    pub(super) fn is_wanted(&self, pending: &[Pending]) -> bool {
        let again = |link: &Link| {
            pending.iter().any(|pending| pending.order.fingerprint == link.pending.order.fingerprint)
        };
        self.links.iter().any(|link| link.pending.ticket.is_heard() || again(link))
    }

    /// Sets the time of the next question.
    pub(super) fn later(mut self) -> Self {
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.next = Instant::now() + self.pause;
        self
    }
}
