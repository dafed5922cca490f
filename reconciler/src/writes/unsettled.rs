//! Pushes whose end is not known. The repository that was pushed to is asked until it tells.

use std::time::{Duration, Instant};

use policies::{Digest, language::PolicyName};

use super::{
    order::Order,
    pending::{Link, Pending, Record},
};
use crate::source::{ancestry::CommitId, writing::BranchName};

/// The pause after the first question. It doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The time after which a push that has not arrived is taken for lost. No server works so long on one.
const LOST_AFTER: Duration = Duration::from_secs(10 * 60);
/// The number of pushes that are asked for. Of more, the oldest is taken for lost.
const MAX_PARKED: usize = 64;

/// The pushes whose end is not known.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    pub(super) pushes: Vec<Parked>,
}

/// A push whose end is not known.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) from: CommitId,
    pub(super) tip: CommitId,
    /// The new branch that was pushed to, if it was not the served one.
    pub(super) new_branch: Option<BranchName>,
    /// The requests whose clients wait.
    pub(super) waiting: Vec<Link>,
    /// The requests that nobody waits for any more.
    pub(super) left: Vec<Record>,
    pause: Duration,
    pub(super) next: Instant,
    since: Instant,
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

    /// Takes out the pushes that are taken for lost at a time.
    pub(super) fn take_lost(&mut self, now: Instant) -> Vec<Parked> {
        let is_late = |parked: &mut Parked| now.saturating_duration_since(parked.since) >= LOST_AFTER;
        let mut lost: Vec<_> = self.pushes.extract_if(.., is_late).collect();
        let over = self.pushes.len().saturating_sub(MAX_PARKED);
        lost.extend(self.pushes.drain(..over));
        lost
    }

    /// A push whose end is not known, of a policy that this request concerns too.
    pub(super) fn about(&self, order: &Order) -> Option<&Parked> {
        self.pushes.iter().find(|parked| parked.new_branch.is_none() && parked.concerns(order))
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
        let now = Instant::now();
        let (pause, next) = (FIRST_PAUSE, now + FIRST_PAUSE);
        Self { from, tip, new_branch, waiting: links, left: Vec::new(), pause, next, since: now }
    }

    /// True if a request is about a policy of this push.
    pub(super) fn concerns(&self, order: &Order) -> bool {
        let names = order.names();
        let is_one = |name: &PolicyName| names.contains(name);
        self.waiting.iter().any(|link| link.pending.order.names().iter().any(is_one))
            || self.left.iter().any(|record| record.names.iter().any(is_one))
    }

    /// True if somebody waits for the push, or asks for the same again.
    pub(super) fn is_wanted(&self, pending: &[Pending]) -> bool {
        let is_again =
            |fingerprint: Digest| pending.iter().any(|pending| pending.order.fingerprint == fingerprint);
        let is_heard = |link: &Link| link.pending.ticket.is_heard();
        self.waiting.iter().any(|link| is_heard(link) || is_again(link.pending.order.fingerprint))
            || self.left.iter().any(|record| is_again(record.fingerprint))
    }

    /// Sets the time of the next question, and lets go of what is kept for clients that have left.
    pub(super) fn later(mut self) -> Self {
        let (waiting, left): (Vec<_>, Vec<_>) =
            self.waiting.into_iter().partition(|link| link.pending.ticket.is_heard());
        self.waiting = waiting;
        self.left.extend(left.into_iter().map(Record::from));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.next = Instant::now() + self.pause;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{CommitId, LOST_AFTER, MAX_PARKED, Parked, Unsettled};

    fn parked(tip: u8) -> Parked {
        Parked::new(CommitId([0; 20]), CommitId([tip; 20]), None, Vec::new())
    }

    #[test]
    fn a_push_is_taken_for_lost_after_a_while_and_the_oldest_of_too_many() {
        let (mut unsettled, now) = (Unsettled::default(), Instant::now());
        (0..=MAX_PARKED as u8).for_each(|tip| unsettled.park(parked(tip)));
        let tips = |lost: Vec<Parked>| lost.iter().map(|parked| parked.tip.0[0]).collect::<Vec<_>>();
        assert_eq!(tips(unsettled.take_lost(now)), [0]);
        assert_eq!(unsettled.pushes.len(), MAX_PARKED);
        assert!(unsettled.take_lost(now + LOST_AFTER - Duration::from_secs(1)).is_empty());
        let later = Instant::now() + LOST_AFTER;
        assert_eq!(tips(unsettled.take_lost(later)).len(), MAX_PARKED);
        assert!(unsettled.next_look().is_none());
    }
}
