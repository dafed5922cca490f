//! The places for filters, shared out by client.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use lru::LruCache;
use policies::Digest;

use super::seen::{MEMORY, Origin, Poll, Seen};
use crate::{
    clients::{Admission, Client, Shares},
    fleet::sighting::Sighting,
    serving::published::Variant,
};

/// The most filters that are remembered, fewer if they ask for many names; beyond, the one that polled longest ago is
/// forgotten. A client that brought more than its share of them is not remembered with one more.
pub(super) const MAX_FILTERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(19_999);

/// The answers that are noted before they are taken over. When a snapshot changes, thousands of filters are answered in a
/// row, and hardly any of them is in the cache of the processor. It fetches several at once if it does nothing else
/// meanwhile.
const ANSWERS_AT_ONCE: usize = 64;

#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) filters: LruCache<u64, Seen>,
    /// The places of those that clients brought.
    pub(super) shares: Shares,
    /// When there was no room for all that poll, the last time.
    crowded: Option<Instant>,
    /// Noted, but not taken over yet: at most [`ANSWERS_AT_ONCE`].
    answers: Vec<Answer>,
}

/// The snapshot that a client was given for the node with a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) key: u64,
    pub(super) client: Client,
    pub(super) digest: Digest,
    pub(super) at: Instant,
}

impl Default for Remembered {
    fn default() -> Self {
        let (filters, shares) = (LruCache::new(MAX_FILTERS), Shares::new(MAX_FILTERS.get()));
        Self { filters, shares, crowded: None, answers: Vec::with_capacity(ANSWERS_AT_ONCE) }
    }
}

impl Remembered {
    /// Records a poll of the node with this key; false if its client is not believed, or has no room.
    pub(super) fn polled(
        &mut self,
        key: u64,
        contact: Instant,
        origin: Origin,
        poll: Poll<'_>,
        shared: impl FnOnce(&Arc<Variant>) -> Arc<Variant>,
    ) -> bool {
        let weight = poll.variant.weight();
        match self.filters.peek_mut(&key) {
            Some(known) if !known.gives_way_to(origin, contact) => return false,
            // Nearly always: it keeps its place.
            Some(known) if known.origin.client == origin.client && known.variant == *poll.variant => {
                let variant = Arc::clone(&known.variant);
                known.update(contact, origin, Poll { variant: &variant, ..poll });
                self.filters.promote(&key);
                return true;
            }
            _ => {}
        }
        let known = self.forget(key);
        // Another scope of the same node can take another number of places.
        let has_room = known.as_ref().is_some_and(|known| known.variant.weight() >= weight);
        if !has_room && !self.make_room(origin.client, weight, contact) {
            return false;
        }
        self.shares.add(origin.client, weight);
        // The node may have changed its client, not its scope.
        let variant = match &known {
            Some(known) if known.variant == *poll.variant => Arc::clone(&known.variant),
            _ => shared(poll.variant),
        };
        let poll = Poll { variant: &variant, ..poll };
        let seen = match known {
            Some(mut known) if known.origin.client == origin.client => {
                known.update(contact, origin, poll);
                known
            }
            // What another client has said of it counts no more.
            _ => Seen::new(contact, origin, poll),
        };
        self.filters.put(key, seen);
        true
    }

    /// Notes an answer.
    pub(super) fn was_given(&mut self, answer: Answer) {
        self.answers.push(answer);
        if self.answers.len() >= ANSWERS_AT_ONCE {
            self.take_over_answers();
        }
    }

    /// Takes over the answers that were noted, for nodes that are still of the clients that got them. It comes before all
    /// else that looks at filters or changes them.
    pub(super) fn take_over_answers(&mut self) {
        for Answer { key, client, digest, at } in self.answers.drain(..) {
            if let Some(seen) = self.filters.peek_mut(&key).filter(|seen| seen.origin.client == client) {
                seen.was_given(digest, at);
            }
        }
    }

    /// Notes what the node with this key has said to another replica.
    pub(super) fn said_elsewhere(&mut self, key: u64, sighting: &Sighting, late: Duration) {
        if let Some(seen) = self.filters.peek_mut(&key) {
            seen.said_elsewhere(sighting, late);
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Seen> {
        self.filters.iter().map(|(_, seen)| seen)
    }

    pub(super) fn forget_those_over(&mut self, now: Instant) {
        while self.filters.peek_lru().is_some_and(|(_, oldest)| oldest.is_over(now)) {
            self.forget_oldest();
        }
    }

    pub(super) fn is_complete(&self, now: Instant) -> bool {
        self.crowded.is_none_or(|crowded| now.duration_since(crowded) > MEMORY)
    }

    /// Makes room for one more filter of a client; false if it gets none.
    fn make_room(&mut self, client: Client, weight: u32, now: Instant) -> bool {
        loop {
            let admission = self.shares.admit(client, weight);
            if matches!(admission, Admission::Free) {
                return true;
            }
            if self.filters.peek_lru().is_some_and(|(_, oldest)| oldest.is_gone(now)) {
                self.forget_oldest();
                continue;
            }
            self.crowded = Some(now);
            match admission {
                Admission::Instead(greediest) => self.forget_oldest_of(greediest),
                // All have their share: there are too many.
                Admission::Refused if self.is_alone_or_new(client) => self.forget_oldest(),
                Admission::Free | Admission::Refused => return false,
            }
        }
    }

    fn is_alone_or_new(&self, client: Client) -> bool {
        [0, self.shares.taken()].contains(&(self.shares.held(client) as usize))
    }

    fn forget(&mut self, key: u64) -> Option<Seen> {
        let seen = self.filters.pop(&key)?;
        self.shares.remove(seen.origin.client, seen.variant.weight());
        Some(seen)
    }

    fn forget_oldest(&mut self) {
        if let Some(key) = self.filters.peek_lru().map(|(key, _)| *key) {
            drop(self.forget(key));
        }
    }

    fn forget_oldest_of(&mut self, client: Client) {
        let oldest = self.filters.iter().rev().find(|(_, seen)| seen.origin.client == client);
        if let Some(key) = oldest.map(|(key, _)| *key) {
            drop(self.forget(key));
        }
    }
}
