//! The filters that have polled, and the snapshot that each runs.
//!
//! A filter reports about itself, and anybody can poll. The reports are checked and bounded. They are shown, and a
//! proxy that is not heard of, or that does not name a plugin, has that plugin sent again, at most five times in a row: a
//! false report can cause that too. No snapshot depends on them.
//!
//! - `seen`: what is known of one filter.
//! - `remembered`: the places for them, shared out by client.

mod remembered;
mod seen;
#[cfg(test)]
mod tests;

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use policies::{
    Digest, Scope, Timestamp,
    wire::{PluginNames, poll::NodeId},
};

use self::remembered::Remembered;
pub use self::seen::{Origin, Poll};
use crate::{
    api::filters::{FilterCounts, FilterState},
    clock::now,
    serving::{published::Variant, publisher::Publisher},
};

/// The filters that polled within the last ten minutes.
#[derive(Debug)]
pub struct Filters {
    /// By the hash of the node: when its plugin changes, a proxy goes on under another scope. The hash has a
    /// random key, so that nobody can cause collisions.
    seen: Mutex<Remembered>,
    hasher: RandomState,
    /// The time from which on polls are recorded.
    since: Timestamp,
}

/// A filter, as it is shown.
#[derive(Clone, Debug)]
pub struct Filter {
    pub node: NodeId,
    pub scope: Scope,
    /// The plugins that run in its proxy, if it says so.
    pub plugins: Option<PluginNames>,
    /// The digest of the snapshot that it runs, if any.
    pub digest: Option<Digest>,
    /// This is the present digest of its scope.
    pub is_newest: bool,
    pub contact: Timestamp,
    pub state: FilterState,
}

impl Default for Filters {
    fn default() -> Self {
        Self { seen: Mutex::default(), hasher: RandomState::new(), since: now() }
    }
}

impl Filters {
    /// Records a poll.
    pub fn polled(&self, origin: Origin, poll: Poll<'_>) {
        self.polled_at(now(), origin, poll);
    }

    fn polled_at(&self, contact: Timestamp, origin: Origin, poll: Poll<'_>) {
        let key = self.hasher.hash_one(&poll.node);
        self.lock().polled(key, contact, origin, poll);
    }

    /// The time from which on polls are recorded.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// False if a filter that polled within the last ten minutes may not be remembered, for want of room.
    pub fn is_complete(&self) -> bool {
        self.lock().is_complete(now())
    }

    /// The scopes that the remembered filters ask for.
    pub fn scopes(&self) -> Vec<Scope> {
        let now = now();
        self.lock().all().filter(|seen| !seen.is_over(now)).map(|seen| seen.variant.scope.clone()).collect()
    }

    /// The number of filters that run one of these snapshots, and that of the others.
    pub fn running(&self, digests: &[Digest]) -> (usize, usize) {
        let now = now();
        let seen = self.lock();
        let (running, others): (Vec<_>, Vec<_>) = seen
            .all()
            .filter(|seen| !seen.is_over(now))
            .partition(|seen| seen.digest.is_some_and(|digest| digests.contains(&digest)));
        (running.len(), others.len())
    }

    /// The remembered filters, sorted by node. `publisher` may have to make snapshots to know the newest
    /// digests, which takes time.
    pub fn list(&self, publisher: &Publisher) -> Vec<Filter> {
        self.list_at(now(), |variant| publisher.digest(variant))
    }

    fn list_at(&self, now: Timestamp, newest: impl Fn(&Variant) -> Option<Digest>) -> Vec<Filter> {
        let mut seen = self.lock();
        seen.forget_those_over(now);
        let known = seen.all().map(|seen| {
            let filter = Filter {
                node: seen.node.clone(),
                scope: seen.variant.scope.clone(),
                plugins: seen.plugins(now).cloned(),
                digest: seen.digest,
                is_newest: false,
                contact: seen.contact,
                state: FilterState::Gone,
            };
            (filter, seen.variant.format, seen.is_gone(now))
        });
        let known: Vec<_> = known.collect();
        // The lock is released before the newest digests are looked up.
        drop(seen);
        let filters = known.into_iter().map(|(filter, format, is_gone)| {
            let variant = Variant { scope: filter.scope.clone(), format };
            let is_newest = filter.digest.is_some() && filter.digest == newest(&variant);
            let state = match is_newest {
                _ if is_gone => FilterState::Gone,
                true => FilterState::InStep,
                false => FilterState::Lagging,
            };
            Filter { is_newest, state, ..filter }
        });
        let mut filters: Vec<_> = filters.collect();
        filters.sort_by(|a, b| a.node.as_str().cmp(b.node.as_str()));
        filters
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of filters in each state.
pub fn counts(filters: &[Filter]) -> FilterCounts {
    filters.iter().map(|filter| filter.state).collect()
}
