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
    num::NonZeroU64,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use policies::{
    Digest, Timestamp,
    wire::{PluginNames, poll::NodeId},
};

pub use self::seen::{MEMORY, Origin, Poll};
use self::{
    remembered::{Answer, Remembered},
    seen::Seen,
};
use super::sighting::Sighting;
use crate::{
    api::filters::{FilterCounts, FilterState},
    clients::Client,
    clock::{now, times},
    serving::published::Variant,
};

/// The filters that polled within the last 16 minutes.
#[derive(Debug)]
pub struct Filters {
    /// By the hash of the node: when its plugin changes, a proxy goes on under another scope. The hash has a
    /// random key, so that nobody can cause collisions.
    seen: Mutex<Remembered>,
    hasher: RandomState,
    /// The time from which on polls are recorded.
    since: Timestamp,
    begun: Instant,
}

/// The node of a poll that was recorded. Small, because it is kept while the client waits.
#[derive(Clone, Copy, Debug)]
pub struct Recorded(NonZeroU64);

/// A filter, as it is shown.
#[derive(Clone, Debug)]
pub struct Filter {
    pub node: NodeId,
    /// The snapshot that it asks for.
    pub variant: Arc<Variant>,
    /// The plugins that run in its proxy, if it says so.
    pub plugins: Option<PluginNames>,
    /// The digest of the snapshot that it runs, if any.
    pub digest: Option<Digest>,
    /// The digest of another snapshot that it was given since, and has not confirmed.
    pub given: Option<Digest>,
    /// It runs the present snapshot of its scope, and was given no other since.
    pub is_newest: bool,
    /// The start of its last poll, by the wall clock.
    pub contact: Timestamp,
    pub state: FilterState,
}

impl Filter {
    /// The namespaces of its workload, joined by commas: a proxy can stand for several.
    pub fn namespaces(&self) -> String {
        self.names("namespace").collect::<Vec<_>>().join(",")
    }

    /// The names of its workload, joined by commas.
    pub fn services(&self) -> String {
        self.names("service").collect::<Vec<_>>().join(",")
    }

    /// Its namespaces, or its services: the names of its scope under this key.
    pub fn names(&self, key: &'static str) -> impl Iterator<Item = &str> {
        self.variant.scope.names().filter(move |(known, _)| *known == key).map(|(_, name)| name)
    }
}

impl Default for Filters {
    fn default() -> Self {
        Self { seen: Mutex::default(), hasher: RandomState::new(), since: now(), begun: Instant::now() }
    }
}

impl Filters {
    /// Records a poll; `None` if its client is not believed, or has no room. `shared` gives a scope that is new here as
    /// others have it.
    pub fn polled(
        &self,
        origin: Origin,
        poll: Poll<'_>,
        shared: impl FnOnce(&Arc<Variant>) -> Arc<Variant>,
    ) -> Option<Recorded> {
        self.polled_at(Instant::now(), origin, poll, shared)
    }

    fn polled_at(
        &self,
        contact: Instant,
        origin: Origin,
        poll: Poll<'_>,
        shared: impl FnOnce(&Arc<Variant>) -> Arc<Variant>,
    ) -> Option<Recorded> {
        let key = self.key(&poll.node);
        self.lock().polled(key.get(), contact, origin, poll, shared).then_some(Recorded(key))
    }

    /// Notes the snapshot that is the answer to a poll of this client.
    pub fn was_given(&self, of: Recorded, client: Client, digest: Digest) {
        self.was_given_at(Instant::now(), of, client, digest);
    }

    fn was_given_at(&self, at: Instant, of: Recorded, client: Client, digest: Digest) {
        // Not taken over yet: one by one that is slow.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.was_given(Answer { key: of.0.get(), client, digest, at });
    }

    /// Takes over that filters said to other replicas what they run. What they were given here before is settled by that.
    /// The times of the sightings may be too late by so much.
    pub fn said_elsewhere(&self, sightings: &[Sighting], late: Duration) {
        let said = sightings.iter().filter(|sighting| sighting.digest.is_some());
        let said: Vec<_> = said.map(|sighting| (self.key(&sighting.node).get(), sighting)).collect();
        // In parts, since polls wait for the lock.
        for part in said.chunks(1_000) {
            let mut seen = self.lock();
            for (key, sighting) in part {
                seen.said_elsewhere(*key, sighting, late);
            }
        }
    }

    fn key(&self, node: &NodeId) -> NonZeroU64 {
        NonZeroU64::MIN | self.hasher.hash_one(node)
    }

    /// The time from which on polls are recorded.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The time for which polls have been recorded.
    pub fn listening(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The longest that a filter lets its poll be held.
    pub fn longest_wait(&self) -> Duration {
        let now = Instant::now();
        self.lock().all().filter(|seen| !seen.is_over(now)).map(Seen::wait).max().unwrap_or_default()
    }

    /// False if a filter that polled within the last 16 minutes may not be remembered, for want of room.
    pub fn is_complete(&self) -> bool {
        self.lock().is_complete(Instant::now())
    }

    /// The last poll of each remembered filter.
    pub fn sightings(&self) -> Vec<Sighting> {
        self.sightings_at(Instant::now())
    }

    fn sightings_at(&self, now: Instant) -> Vec<Sighting> {
        let mut seen = self.lock();
        seen.forget_those_over(now);
        let sighting = |seen: &Seen| Sighting {
            node: seen.node.clone(),
            variant: Arc::clone(&seen.variant),
            plugins: seen.plugins(now).cloned(),
            digest: seen.digest,
            given: seen.given,
            contact: seen.contact,
            is_gone: seen.is_gone(now),
            is_own: seen.origin.is_own,
        };
        // One that is over waits behind another that is not.
        seen.all().filter(|seen| !seen.is_over(now)).map(sighting).collect()
    }

    /// The filters, with every answer that was given.
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take_over_answers();
        seen
    }
}

/// These filters compared with what is served, sorted by node. To know the newest digests may take time.
pub(super) fn judged_by(
    sightings: Vec<Sighting>,
    mut newest: impl FnMut(&Variant) -> Option<Digest>,
) -> Vec<Filter> {
    let time_of = times();
    let filters = sightings.into_iter().map(|sighting| {
        let Sighting { node, variant, plugins, digest, given, contact, is_gone, is_own: _ } = sighting;
        let is_newest = digest.is_some() && given.is_none() && digest == newest(&variant);
        let state = match is_newest {
            _ if is_gone => FilterState::Gone,
            true => FilterState::InStep,
            false => FilterState::Lagging,
        };
        let (given, contact) = (given.map(|given| given.digest), time_of(contact));
        Filter { node, variant, plugins, digest, given, is_newest, contact, state }
    });
    let mut filters: Vec<_> = filters.collect();
    filters.sort_by(|a, b| a.node.as_str().cmp(b.node.as_str()));
    filters
}

/// The number of filters in each state.
pub fn counts(filters: &[Filter]) -> FilterCounts {
    filters.iter().map(|filter| filter.state).collect()
}
