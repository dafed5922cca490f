//! The filters that have polled, and the snapshot that each runs.
//!
//! A filter reports about itself, and anybody can poll. The reports are checked and bounded; they are shown
//! and decide nothing.

use std::{
    hash::{BuildHasher as _, RandomState},
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lru::LruCache;
use policies::{
    Digest, Scope, Timestamp,
    wire::poll::{self, NodeId},
};

use crate::{
    api::filters::{FilterCounts, FilterState},
    clock::now,
    serving::{published::Variant, publisher::Publisher},
};

/// The most filters that are remembered; beyond, the one that polled longest ago is forgotten.
const MAX_FILTERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(19_999);
/// The time for which a silent filter is remembered.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// Time beyond its poll after which a silent filter counts as gone: that of two retries at the longest
/// back-off.
const GRACE: Duration = poll::MAX_BACKOFF.saturating_mul(2);

/// The filters that polled within the last ten minutes.
#[derive(Debug)]
pub struct Filters {
    /// By the hash of node and scope: a proxy polls for each identity that its plugins have. The hash
    /// has a random key, so that nobody can cause collisions.
    seen: Mutex<LruCache<u64, Seen>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Seen {
    node: NodeId,
    variant: Variant,
    digest: Option<Digest>,
    contact: Timestamp,
    /// The time from which it counts as gone.
    due: Timestamp,
}

/// A filter, as it is shown.
#[derive(Clone, Debug)]
pub struct Filter {
    pub node: NodeId,
    pub scope: Scope,
    /// The digest of the snapshot that it runs, if any.
    pub digest: Option<Digest>,
    /// This is the present digest of its scope.
    pub is_newest: bool,
    pub contact: Timestamp,
    pub state: FilterState,
}

impl Default for Filters {
    fn default() -> Self {
        Self { seen: Mutex::new(LruCache::new(MAX_FILTERS)), hasher: RandomState::new() }
    }
}

impl Filters {
    /// Records a poll of a filter that runs this digest; the server may hold the poll for `wait`.
    pub fn polled(&self, node: NodeId, variant: &Variant, digest: Option<Digest>, wait: Duration) {
        self.polled_at(now(), node, variant, digest, wait);
    }

    fn polled_at(
        &self,
        contact: Timestamp,
        node: NodeId,
        variant: &Variant,
        digest: Option<Digest>,
        wait: Duration,
    ) {
        let due = contact.plus_millis((wait + GRACE).as_millis() as u64);
        let key = self.hasher.hash_one((&node, &variant.scope));
        let mut seen = self.lock();
        if let Some(known) = seen.get_mut(&key) {
            (known.digest, known.contact, known.due) = (digest, contact, due);
            // A proxy whose filter was replaced may ask for another format.
            known.variant.format = variant.format;
        } else {
            seen.put(key, Seen { node, variant: variant.clone(), digest, contact, due });
        }
    }

    /// The remembered filters, sorted by node. `publisher` may have to make snapshots to know the newest
    /// digests, which takes time.
    pub fn list(&self, publisher: &Publisher) -> Vec<Filter> {
        self.list_at(now(), |variant| publisher.digest(variant))
    }

    fn list_at(&self, now: Timestamp, newest: impl Fn(&Variant) -> Option<Digest>) -> Vec<Filter> {
        let mut seen = self.lock();
        let is_over = |seen: &Seen| now.millis_since(seen.contact) > MEMORY.as_millis() as u64;
        while seen.peek_lru().is_some_and(|(_, oldest)| is_over(oldest)) {
            seen.pop_lru();
        }
        let known = seen.iter().map(|(_, Seen { node, variant, digest, contact, due })| {
            (
                Filter {
                    node: node.clone(),
                    scope: variant.scope.clone(),
                    digest: *digest,
                    is_newest: false,
                    contact: *contact,
                    state: FilterState::Gone,
                },
                variant.format,
                *due,
            )
        });
        let known: Vec<_> = known.collect();
        // The lock is released before the newest digests are looked up.
        drop(seen);
        let filters = known.into_iter().map(|(filter, format, due)| {
            let variant = Variant { scope: filter.scope.clone(), format };
            let is_newest = filter.digest.is_some() && filter.digest == newest(&variant);
            let state = match is_newest {
                _ if due < now => FilterState::Gone,
                true => FilterState::InStep,
                false => FilterState::Lagging,
            };
            Filter { is_newest, state, ..filter }
        });
        let mut filters: Vec<_> = filters.collect();
        filters.sort_by(|a, b| (a.node.as_str(), &a.scope).cmp(&(b.node.as_str(), &b.scope)));
        filters
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<u64, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of filters in each state.
pub fn counts(filters: &[Filter]) -> FilterCounts {
    filters.iter().map(|filter| filter.state).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use policies::{Digest, Scope, Timestamp, wire::poll::NodeId};

    use super::{Filters, MAX_FILTERS};
    use crate::api::filters::FilterState;

    const MINUTE: u64 = 60_000;

    fn filters(polls: &[(u64, &str, &[u8])]) -> Filters {
        let filters = Filters::default();
        for (minute, node, body) in polls {
            let (at, node) = (Timestamp::from_millis(minute * MINUTE), NodeId::parse(node).unwrap());
            filters.polled_at(
                at,
                node,
                &Scope::unknown().into(),
                Some(Digest::of(body)),
                Duration::from_secs(30),
            );
        }
        filters
    }

    fn states(filters: &Filters, minute: u64) -> Vec<(String, FilterState)> {
        let list = filters.list_at(Timestamp::from_millis(minute * MINUTE), |_| Some(Digest::of(b"new")));
        list.iter().map(|filter| (filter.node.as_str().to_owned(), filter.state)).collect()
    }

    #[test]
    fn a_filter_is_in_step_or_lags_or_is_gone_and_then_forgotten() {
        let filters = filters(&[(0, "a", b"old"), (1, "b", b"new"), (1, "c", b"old"), (5, "a", b"new")]);
        let is = |name: &str, state| (name.to_owned(), state);
        assert_eq!(
            states(&filters, 2),
            [is("a", FilterState::InStep), is("b", FilterState::InStep), is("c", FilterState::Lagging)]
        );
        assert_eq!(
            states(&filters, 6),
            [is("a", FilterState::InStep), is("b", FilterState::Gone), is("c", FilterState::Gone)]
        );
        assert_eq!(states(&filters, 12), [is("a", FilterState::Gone)]);
    }

    #[test]
    fn there_is_an_end_to_how_many_are_remembered() {
        let filters = Filters::default();
        for i in 0..MAX_FILTERS.get() + 10 {
            let node = NodeId::parse(&format!("n{i}")).unwrap();
            filters.polled_at(
                Timestamp::from_millis(0),
                node,
                &Scope::unknown().into(),
                None,
                Duration::ZERO,
            );
        }
        let list = filters.list_at(Timestamp::from_millis(0), |_| None);
        assert_eq!(list.len(), MAX_FILTERS.get());
        assert!(!list.iter().any(|filter| filter.node.as_str() == "n9"), "the oldest is remembered");
    }
}
