//! The body of every scope and format that was asked for, and which of them are dropped when there are too many.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use policies::{Digest, repository::ActiveSet};
use tokio::sync::watch;

use super::published::{Body, Published, Variant};
use crate::clients::{Admission, Client, Shares};

/// The number of scopes that are kept; a scope in two formats counts twice, and one of many names or with a large
/// snapshot of its own counts more than once. A request for one more gets its bytes, and cannot wait for the next,
/// unless its client has less than its share.
pub(crate) const MAX_SCOPES: usize = 20_000;

/// The bytes of a snapshot for which a scope counts once more, if no other has the same.
pub(crate) const BYTES_PER_PLACE: usize = 16 * 1024;

/// The number of scopes at which those without waiting requests are dropped for the first time.
const FIRST_SWEEP: usize = 1_024;

/// The time between two sweeps of a full cache: a sweep looks at every scope.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The scopes that are kept, and the requests that wait for one of them to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    pub scopes: usize,
    pub waiting: usize,
}

/// The bodies of all scopes, of one set of active policies.
#[derive(Debug)]
pub(super) struct ScopeCache {
    bodies: HashMap<Arc<Variant>, Kept>,
    /// The places of the scopes that clients brought.
    shares: Shares,
    /// The policies that the bodies are made of.
    active: Arc<ActiveSet>,
    /// The scopes that were added since the last [`begin_update`](Self::begin_update).
    added: Vec<Arc<Variant>>,
    /// Each distinct body once: most workloads of a namespace have the same.
    contents: HashMap<Digest, Bytes>,
    /// The number of scopes at which the next sweep happens.
    sweep_at: usize,
    last_sweep: Option<Instant>,
}

/// The body of a scope that is kept.
#[derive(Debug)]
struct Kept {
    body: watch::Sender<Body>,
    /// The first client that asked for it.
    client: Client,
    weight: u32,
}

impl Kept {
    fn is_waited_for(&self) -> bool {
        self.body.receiver_count() > 0
    }
}

impl Default for ScopeCache {
    fn default() -> Self {
        Self {
            bodies: HashMap::new(),
            shares: Shares::new(MAX_SCOPES),
            active: Arc::default(),
            added: Vec::new(),
            contents: HashMap::new(),
            sweep_at: FIRST_SWEEP,
            last_sweep: None,
        }
    }
}

impl ScopeCache {
    /// The policies that the bodies are made of.
    pub(super) fn active(&self) -> &Arc<ActiveSet> {
        &self.active
    }

    /// The body of a scope, now and whenever it changes.
    pub(super) fn get(&self, variant: &Variant) -> Option<watch::Receiver<Body>> {
        self.bodies.get(variant).map(|kept| kept.body.subscribe())
    }

    /// A scope that is kept, as it is kept.
    pub(super) fn kept(&self, variant: &Variant) -> Option<&Arc<Variant>> {
        self.bodies.get_key_value(variant).map(|(kept, _)| kept)
    }

    /// The digest of a scope's body.
    pub(super) fn digest(&self, variant: &Variant) -> Option<Digest> {
        self.bodies.get(variant).map(|kept| kept.body.borrow().digest)
    }

    /// Adds the body of one more scope, which a client asks for, if there is room for it.
    pub(super) fn insert(
        &mut self,
        variant: Arc<Variant>,
        body: Body,
        client: Client,
    ) -> watch::Receiver<Body> {
        let weight = self.weight(&variant, &body);
        if self.is_sweep_due(weight) {
            self.sweep();
        }
        loop {
            match self.shares.admit(client, weight) {
                Admission::Free => break,
                Admission::Instead(greediest) => self.drop_one_of(greediest),
                // Its sender is dropped here, so a request that waits learns at once that nothing more comes.
                Admission::Refused => return watch::channel(body).1,
            }
        }
        self.added.push(Arc::clone(&variant));
        let sender = watch::Sender::new(shared(body, &mut self.contents));
        let receiver = sender.subscribe();
        self.shares.add(client, weight);
        self.bodies.insert(variant, Kept { body: sender, client, weight });
        receiver
    }

    fn weight(&self, variant: &Variant, body: &Body) -> u32 {
        let is_shared = self.contents.contains_key(&body.digest);
        let own = if is_shared { 0 } else { body.bytes.len() / BYTES_PER_PLACE };
        variant.weight().saturating_add(u32::try_from(own).unwrap_or(u32::MAX))
    }

    /// All scopes that are worth a new body. Those that are added from now on are in
    /// [`take_added`](Self::take_added).
    pub(super) fn begin_update(&mut self) -> Vec<Arc<Variant>> {
        self.sweep();
        self.added.clear();
        self.bodies.keys().cloned().collect()
    }

    /// The scopes that were added since the update began.
    pub(super) fn take_added(&mut self) -> Vec<Arc<Variant>> {
        std::mem::take(&mut self.added)
    }

    /// Replaces bodies, and wakes the requests whose bytes changed; the number of scopes whose bytes did.
    pub(super) fn update(
        &mut self,
        active: Arc<ActiveSet>,
        published: &Arc<Published>,
        bodies: Vec<(Arc<Variant>, Body)>,
    ) -> usize {
        self.active = active;
        let changed = bodies.into_iter().filter_map(|(variant, new)| {
            let (kept, new) = (self.bodies.get(&variant)?, shared(new, &mut self.contents));
            let changed = kept.body.send_if_modified(|old| {
                let changed = old.digest != new.digest;
                *old = new;
                changed
            });
            changed.then_some(())
        });
        let changed = changed.count();
        for kept in self.bodies.values() {
            // A publication with the same bytes wakes no request.
            kept.body.send_if_modified(|body| {
                body.published = Arc::clone(published);
                false
            });
        }
        self.contents.retain(|_, bytes| !bytes.is_unique());
        changed
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        let waiting = self.bodies.values().map(|kept| kept.body.receiver_count()).sum();
        Occupancy { scopes: self.bodies.len(), waiting }
    }

    /// The scopes that at least one request waits for.
    pub(super) fn waited_for(&self) -> Vec<Arc<Variant>> {
        let waited_for = self.bodies.iter().filter(|(_, kept)| kept.is_waited_for());
        waited_for.map(|(variant, _)| Arc::clone(variant)).collect()
    }

    fn is_sweep_due(&self, more: u32) -> bool {
        let taken = self.shares.taken().saturating_add(more as usize);
        let is_full = taken > MAX_SCOPES;
        taken > self.sweep_at
            && !(is_full && self.last_sweep.is_some_and(|last| last.elapsed() < SWEEP_INTERVAL))
    }

    /// Drops the scopes that no request waits for.
    fn sweep(&mut self) {
        self.bodies.retain(|_, kept| {
            let is_kept = kept.is_waited_for();
            if !is_kept {
                self.shares.remove(kept.client, kept.weight);
            }
            is_kept
        });
        let used: HashSet<_> = self.bodies.values().map(|kept| kept.body.borrow().digest).collect();
        self.contents.retain(|digest, _| used.contains(digest));
        self.added.retain(|variant| self.bodies.contains_key(variant));
        self.sweep_at = FIRST_SWEEP.max(2 * self.shares.taken()).min(MAX_SCOPES);
        self.last_sweep = Some(Instant::now());
    }

    /// Drops a scope that a client brought. The requests that wait for it learn that nothing more comes.
    fn drop_one_of(&mut self, client: Client) {
        let brought = self.bodies.iter().find(|(_, kept)| kept.client == client);
        if let Some((variant, weight)) = brought.map(|(variant, kept)| (Arc::clone(variant), kept.weight)) {
            self.bodies.remove(&variant);
            self.shares.remove(client, weight);
        }
    }
}

/// The same body, in the bytes of the others that are equal to it.
fn shared(body: Body, contents: &mut HashMap<Digest, Bytes>) -> Body {
    let bytes = contents.entry(body.digest).or_insert(body.bytes).clone();
    Body { bytes, ..body }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, sync::Arc, time::Instant};

    use bytes::Bytes;
    use policies::{Digest, Scope, Timestamp, wire::Format};
    use tokio::sync::watch;

    use super::{BYTES_PER_PLACE, MAX_SCOPES, Occupancy, SWEEP_INTERVAL, ScopeCache};
    use crate::{
        clients::{Client, Prefixes},
        serving::published::{Body, Holds, Published, Variant, Whole},
        source::{Revision, ancestry::Ancestry},
    };

    fn scope(service: &str) -> Arc<Variant> {
        Arc::new(Scope::new(["demo"], [service]).unwrap().into())
    }

    fn published(revision: &str) -> Arc<Published> {
        let (revision, at) = (Revision::new(revision.to_owned()), Timestamp::from_millis(0));
        let (ancestry, catalog) = (Ancestry::default(), Arc::default());
        let whole = Whole { revision, ancestry, signed: None, catalog, at };
        Arc::new(Published::new(whole, Holds::default()))
    }

    fn body(text: &'static str) -> Body {
        let bytes = Bytes::from(text.as_bytes().to_vec());
        Body { format: Format::V1, digest: Digest::of(&bytes), bytes, published: published("main@sha1:1") }
    }

    fn insert(cache: &mut ScopeCache, service: &str, text: &'static str) -> watch::Receiver<Body> {
        cache.insert(scope(service), body(text), Client::default())
    }

    /// As many scopes of one client as there can be.
    fn fill(cache: &mut ScopeCache) -> Vec<watch::Receiver<Body>> {
        (0..MAX_SCOPES).map(|i| insert(cache, &format!("s{i}"), "none")).collect()
    }

    #[test]
    fn equal_bytes_are_kept_once() {
        let mut cache = ScopeCache::default();
        let names = ["a", "b", "c"];
        let waiting = names.map(|name| insert(&mut cache, name, "none"));
        for texts in [["one", "none", "two"], ["one", "one", "two"], ["two", "one", "one"], ["x", "x", "y"]] {
            let bodies = names.iter().zip(texts).map(|(name, text)| (scope(name), body(text))).collect();
            cache.update(Arc::default(), &published("main@sha1:2"), bodies);
            let [a, b, c] = waiting.each_ref().map(|body| body.borrow().bytes.clone());
            assert_eq!(a == b, a.as_ptr() == b.as_ptr(), "{texts:?}");
            assert_eq!(b == c, b.as_ptr() == c.as_ptr(), "{texts:?}");
        }
        assert_eq!(cache.contents.len(), 2, "bytes of no scope are kept");
    }

    #[test]
    fn each_format_of_a_scope_is_kept_and_counted() {
        let mut cache = ScopeCache::default();
        let one = scope("a");
        let other = Arc::new(Variant { format: Format::V2, ..(*one).clone() });
        let waiting = [(Arc::clone(&one), "one"), (other, "other")]
            .map(|(variant, text)| cache.insert(variant, body(text), Client::default()));
        assert_eq!(cache.occupancy(), Occupancy { scopes: 2, waiting: 2 });
        let published = published("main@sha1:2");
        assert_eq!(cache.update(Arc::default(), &published, vec![(one, body("new"))]), 1);
        assert_eq!(waiting.map(|body| body.has_changed().unwrap()), [true, false]);
    }

    #[test]
    fn one_scope_too_many_gets_its_bytes_and_cannot_wait() {
        let mut cache = ScopeCache::default();
        let held = fill(&mut cache);
        let one_more = insert(&mut cache, "last", "last");
        assert_eq!(cache.occupancy(), Occupancy { scopes: MAX_SCOPES, waiting: MAX_SCOPES });
        assert!(one_more.has_changed().is_err() && held.iter().all(|body| body.has_changed().is_ok()));
        assert_eq!(&one_more.borrow().bytes[..], b"last");
        drop(held);
        let begun = Instant::now();
        while insert(&mut cache, "last", "last").has_changed().is_err() {
            assert!(begun.elapsed() < 10 * SWEEP_INTERVAL, "room is not made again");
        }
    }

    #[test]
    fn a_scope_of_many_names_counts_as_many() {
        let mut cache = ScopeCache::default();
        let mut many = |first: usize| {
            let names: Vec<_> = (first..first + 40).map(|at| format!("s{at}")).collect();
            let scope = Scope::new(["demo"], names.iter().map(String::as_str)).unwrap();
            cache.insert(Arc::new(scope.into()), body("none"), Client::default())
        };
        let held: Vec<_> = (0..MAX_SCOPES / 11).map(&mut many).collect();
        assert!(held.iter().all(|body| body.has_changed().is_ok()), "41 names take 11 places");
        assert!(many(MAX_SCOPES).has_changed().is_err());
        drop(held);
        cache.sweep();
        assert_eq!(cache.shares.taken(), 0);
    }

    #[test]
    fn a_scope_with_a_large_snapshot_of_its_own_counts_as_many() {
        let mut cache = ScopeCache::default();
        let large = |byte| {
            let bytes = Bytes::from(vec![byte; 3 * BYTES_PER_PLACE]);
            Body { digest: Digest::of(&bytes), bytes, ..body("") }
        };
        let mut held = Vec::new();
        for (service, byte, taken) in [("a", 0, 4), ("b", 0, 5), ("c", 1, 9)] {
            held.push(cache.insert(scope(service), large(byte), Client::default()));
            assert_eq!(cache.shares.taken(), taken, "{service}");
        }
        drop(held);
        cache.sweep();
        assert_eq!(cache.shares.taken(), 0);
    }

    #[test]
    fn a_client_with_less_than_its_share_waits_in_place_of_who_brought_most() {
        let mut cache = ScopeCache::default();
        let held = fill(&mut cache);
        let [one, other] = [1, 2].map(|end| Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into()));
        let mut waiting: Vec<_> =
            (0..10).map(|i| cache.insert(scope(&format!("n{i}")), body("none"), one)).collect();
        waiting.push(cache.insert(scope("other"), body("other"), other));
        assert!(waiting.iter().all(|body| body.has_changed().is_ok()));
        assert_eq!(held.iter().filter(|body| body.has_changed().is_err()).count(), 11);
        assert!(insert(&mut cache, "last", "last").has_changed().is_err());
        assert_eq!(cache.occupancy(), Occupancy { scopes: MAX_SCOPES, waiting: MAX_SCOPES });
        drop((held, waiting));
        cache.sweep();
        assert_eq!((cache.shares.taken(), cache.bodies.len()), (0, 0));
    }
}
