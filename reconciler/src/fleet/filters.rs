//! The filters that have polled, and the snapshot that each runs.
//!
//! A filter reports about itself, and anybody can poll. The reports are checked and bounded. They are shown, and a
//! proxy that is not heard of has its plugin sent again; no snapshot depends on them. A name is believed from one client at a time: from that whose address is in the name,
//! else from that which came first, until it is gone.

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
    clients::{Admission, Client, Shares},
    clock::now,
    serving::{published::Variant, publisher::Publisher},
};

/// The most filters that are remembered, fewer if they ask for many names; beyond, the one that polled longest ago is
/// forgotten. A client that brought more than its share of them is not remembered with one more.
const MAX_FILTERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(19_999);
/// The time for which a silent filter is remembered.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// Time beyond its poll after which a silent filter counts as gone: that of two retries at the longest
/// back-off.
const GRACE: Duration = poll::MAX_BACKOFF.saturating_mul(2);

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

#[derive(Debug)]
struct Remembered {
    filters: LruCache<u64, Seen>,
    /// The places of those that clients brought.
    shares: Shares,
    /// When there was no room for all that poll, the last time.
    crowded: Option<Timestamp>,
}

/// The sender of a poll.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub client: Client,
    /// The name of the node has the address of this client.
    pub is_own: bool,
}

#[derive(Debug)]
struct Seen {
    origin: Origin,
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
        let remembered = Remembered {
            filters: LruCache::new(MAX_FILTERS),
            shares: Shares::new(MAX_FILTERS.get()),
            crowded: None,
        };
        Self { seen: Mutex::new(remembered), hasher: RandomState::new(), since: now() }
    }
}

impl Filters {
    /// Records a poll of a filter that runs this digest; the server may hold the poll for `wait`.
    pub fn polled(
        &self,
        origin: Origin,
        node: NodeId,
        variant: &Variant,
        digest: Option<Digest>,
        wait: Duration,
    ) {
        self.polled_at(now(), origin, node, variant, digest, wait);
    }

    fn polled_at(
        &self,
        contact: Timestamp,
        origin: Origin,
        node: NodeId,
        variant: &Variant,
        digest: Option<Digest>,
        wait: Duration,
    ) {
        let due = contact.plus_millis((wait + GRACE).as_millis() as u64);
        let key = self.hasher.hash_one(&node);
        let mut seen = self.lock();
        let weight = variant.weight();
        // Another scope of the same node can take another number of places.
        let before = match seen.filters.peek(&key) {
            Some(known) if !known.gives_way_to(origin, contact) => return,
            Some(known) if known.variant.weight() >= weight => {
                Some((known.origin.client, known.variant.weight()))
            }
            _ => None,
        };
        if let Some((client, weight)) = before {
            seen.shares.remove(client, weight);
        } else {
            seen.forget(key);
            if !seen.make_room(origin.client, weight, contact) {
                return;
            }
        }
        seen.shares.add(origin.client, weight);
        let fresh = || Seen { origin, node, variant: variant.clone(), digest, contact, due };
        let known = seen.filters.get_or_insert_mut(key, fresh);
        (known.origin, known.digest, known.contact, known.due) = (origin, digest, contact, due);
        // A filter that replaced another one can ask for another scope and format.
        if known.variant != *variant {
            known.variant = variant.clone();
        }
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
        let (now, seen) = (now(), self.lock());
        let is_known = |seen: &&Seen| now.millis_since(seen.contact) <= MEMORY.as_millis() as u64;
        let known = seen.filters.iter().map(|(_, seen)| seen).filter(is_known);
        known.map(|seen| seen.variant.scope.clone()).collect()
    }

    /// The remembered filters, sorted by node. `publisher` may have to make snapshots to know the newest
    /// digests, which takes time.
    pub fn list(&self, publisher: &Publisher) -> Vec<Filter> {
        self.list_at(now(), |variant| publisher.digest(variant))
    }

    fn list_at(&self, now: Timestamp, newest: impl Fn(&Variant) -> Option<Digest>) -> Vec<Filter> {
        let mut seen = self.lock();
        let is_over = |seen: &Seen| now.millis_since(seen.contact) > MEMORY.as_millis() as u64;
        while seen.filters.peek_lru().is_some_and(|(_, oldest)| is_over(oldest)) {
            seen.forget_oldest();
        }
        let known =
            seen.filters.iter().map(|(_, Seen { origin: _, node, variant, digest, contact, due })| {
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
        filters.sort_by(|a, b| a.node.as_str().cmp(b.node.as_str()));
        filters
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Tells whether the report of another may replace this one.
    fn gives_way_to(&self, other: Origin, now: Timestamp) -> bool {
        let is_same = self.origin.client == other.client;
        is_same || other.is_own && !self.origin.is_own || self.due < now
    }
}

impl Remembered {
    fn is_complete(&self, now: Timestamp) -> bool {
        self.crowded.is_none_or(|crowded| now.millis_since(crowded) > MEMORY.as_millis() as u64)
    }

    /// Makes room for one more filter of a client; false if it gets none.
    fn make_room(&mut self, client: Client, weight: u32, now: Timestamp) -> bool {
        loop {
            let admission = self.shares.admit(client, weight);
            if matches!(admission, Admission::Free) {
                return true;
            }
            if self.filters.peek_lru().is_some_and(|(_, oldest)| oldest.due < now) {
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

    fn forget(&mut self, key: u64) {
        if let Some(seen) = self.filters.pop(&key) {
            self.shares.remove(seen.origin.client, seen.variant.weight());
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(key) = self.filters.peek_lru().map(|(key, _)| *key) {
            self.forget(key);
        }
    }

    fn forget_oldest_of(&mut self, client: Client) {
        let oldest = self.filters.iter().rev().find(|(_, seen)| seen.origin.client == client);
        if let Some(key) = oldest.map(|(key, _)| *key) {
            self.forget(key);
        }
    }
}

/// The number of filters in each state.
pub fn counts(filters: &[Filter]) -> FilterCounts {
    filters.iter().map(|filter| filter.state).collect()
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use policies::{Digest, Scope, Timestamp, wire::poll::NodeId};

    use super::{Filters, MAX_FILTERS, Origin};
    use crate::{api::filters::FilterState, clients::Prefixes, serving::published::Variant};

    const MINUTE: u64 = 60_000;

    fn filters(polls: &[(u64, &str, &[u8])]) -> Filters {
        let filters = Filters::default();
        for (minute, node, body) in polls {
            poll(&filters, *minute, origin(1), node, body);
        }
        filters
    }

    fn origin(end: u8) -> Origin {
        let client = Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into());
        Origin { client, is_own: false }
    }

    fn poll(filters: &Filters, minute: u64, origin: Origin, node: &str, body: &[u8]) {
        let (at, node) = (Timestamp::from_millis(minute * MINUTE), NodeId::parse(node).unwrap());
        let (scope, digest) = (Scope::unknown().into(), Some(Digest::of(body)));
        filters.polled_at(at, origin, node, &scope, digest, Duration::from_secs(30));
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
    fn a_node_whose_plugin_changed_is_still_one() {
        let filters = filters(&[(0, "a", b"old")]);
        let (at, node) = (Timestamp::from_millis(1), NodeId::parse("a").unwrap());
        let other = Scope::new(["demo"], ["checkout"]).unwrap();
        let digest = Some(Digest::of(b"new"));
        filters.polled_at(at, origin(1), node, &other.clone().into(), digest, Duration::from_secs(30));
        let list = filters.list_at(at, |variant| (variant.scope == other).then_some(Digest::of(b"new")));
        let [filter] = &list[..] else { panic!("{list:?}") };
        assert_eq!((&filter.scope, filter.state), (&other, FilterState::InStep));
    }

    #[test]
    fn there_is_an_end_to_how_many_are_remembered() {
        let filters = Filters::default();
        for i in 0..MAX_FILTERS.get() + 10 {
            poll(&filters, 0, origin(1), &format!("n{i}"), b"new");
        }
        let list = filters.list_at(Timestamp::from_millis(0), |_| None);
        assert_eq!(list.len(), MAX_FILTERS.get());
        assert!(!list.iter().any(|filter| filter.node.as_str() == "n9"), "the oldest is remembered");
        let is_complete = |minute: u64| filters.lock().is_complete(Timestamp::from_millis(minute * MINUTE));
        assert_eq!((is_complete(10), is_complete(11)), (false, true));
    }

    #[test]
    fn filters_that_ask_for_many_names_are_fewer() {
        let filters = Filters::default();
        let names: Vec<_> = (0..40).map(|at| format!("s{at}")).collect();
        let scope = Scope::new(["demo"], names.iter().map(String::as_str)).unwrap().into();
        for at in 0..MAX_FILTERS.get() {
            let node = NodeId::parse(&format!("n{at}")).unwrap();
            filters.polled_at(Timestamp::from_millis(0), origin(1), node, &scope, None, Duration::ZERO);
        }
        assert_eq!(filters.lock().filters.len(), MAX_FILTERS.get() / 11);
        poll(&filters, 0, origin(2), "one-more", b"new");
        let remembered = filters.lock();
        let weights = remembered.filters.iter().map(|(_, seen)| seen.variant.weight() as usize);
        assert_eq!(remembered.shares.taken(), weights.sum::<usize>());
    }

    /// The scope of a waypoint of so many namespaces.
    fn namespaces(number: usize) -> Variant {
        let names: Vec<_> = (0..number).map(|at| format!("n{at}")).collect();
        Scope::new(names.iter().map(String::as_str), ["*"]).unwrap().into()
    }

    fn poll_for(filters: &Filters, node: &str, scope: &Variant) {
        let node = NodeId::parse(node).unwrap();
        filters.polled_at(Timestamp::from_millis(0), origin(1), node, scope, None, Duration::ZERO);
    }

    #[test]
    fn a_node_gives_back_the_places_of_its_former_scope() {
        let filters = Filters::default();
        let (wide, narrow) = (namespaces(39), namespaces(1));
        for (scope, places) in [(&wide, 10), (&narrow, 1), (&wide, 10), (&wide, 10), (&narrow, 1)] {
            poll_for(&filters, "a", scope);
            assert_eq!(filters.lock().shares.taken(), places);
        }
    }

    #[test]
    fn nodes_that_ask_for_more_names_later_are_fewer_too() {
        let filters = Filters::default();
        for scope in [namespaces(1), namespaces(39)] {
            for node in 0..MAX_FILTERS.get() {
                poll_for(&filters, &format!("n{node}"), &scope);
            }
        }
        let remembered = filters.lock();
        let weights = remembered.filters.iter().map(|(_, seen)| seen.variant.weight() as usize);
        let places = weights.sum::<usize>();
        assert_eq!(remembered.shares.taken(), places);
        assert!(places <= MAX_FILTERS.get(), "{places}");
    }

    #[test]
    fn a_name_is_believed_from_one_client_until_it_is_gone() {
        let filters = filters(&[(0, "a", b"new")]);
        let (own, owns_too) = (Origin { is_own: true, ..origin(3) }, Origin { is_own: true, ..origin(4) });
        for (minute, origin, body, expected) in [
            (0, origin(2), b"old", FilterState::InStep),
            (0, origin(1), b"old", FilterState::Lagging),
            (0, origin(2), b"new", FilterState::Lagging),
            // It has the address that is in the name.
            (0, own, b"new", FilterState::InStep),
            (0, origin(1), b"old", FilterState::InStep),
            (0, owns_too, b"old", FilterState::InStep),
            // It is gone.
            (5, origin(2), b"old", FilterState::Lagging),
        ] {
            poll(&filters, minute, origin, "a", body);
            assert_eq!(states(&filters, minute), [("a".to_owned(), expected)], "{origin:?} {body:?}");
        }
        assert_eq!(filters.lock().shares.taken(), 1);
    }

    #[test]
    fn false_names_push_no_true_ones_out() {
        let filters = Filters::default();
        poll(&filters, 0, origin(1), "true", b"new");
        for i in 0..MAX_FILTERS.get() + 10 {
            poll(&filters, 0, origin(2), &format!("false{i}"), b"new");
        }
        poll(&filters, 0, origin(3), "also-true", b"new");
        let known = states(&filters, 0);
        assert_eq!(known.len(), MAX_FILTERS.get());
        for name in ["true", "also-true"] {
            assert!(known.iter().any(|(node, _)| node == name), "{name} was pushed out");
        }
        // Once they are gone, others are remembered in their place.
        poll(&filters, 5, origin(2), "one-more", b"new");
        assert!(states(&filters, 5).iter().any(|(node, _)| node == "one-more"));
        let remembered = filters.lock();
        assert_eq!(remembered.shares.taken(), remembered.filters.len());
    }
}
