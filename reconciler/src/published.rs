//! What is served: the newest catalog, and of it the bytes of every scope that somebody asks for.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use policies::{Digest, Policy, Scope, Timestamp, catalog::Catalog, name::PolicyName};
use tokio::sync::watch;

use crate::source::{Revision, lineage::Lineage};

/// A catalog and where it comes from.
#[derive(Clone, Debug)]
pub struct Published {
    pub revision: Revision,
    pub lineage: Lineage,
    /// Empty while [halted](crate::halt).
    pub catalog: Catalog,
    pub halted: bool,
    /// Why the catalog is empty although the revision is not, if that is so: who signed it may no
    /// longer.
    pub withdrawn: Option<String>,
    /// When the catalog was looked at: what was in force then is what is served.
    pub at: Timestamp,
}

/// The snapshot of one scope.
#[derive(Clone, Debug)]
pub struct Body {
    pub bytes: Bytes,
    pub digest: Digest,
    pub revision: Revision,
}

/// Serves readers from what was published last, and wakes those whose bytes changed.
#[derive(Debug)]
pub struct Publisher {
    newest: watch::Sender<State>,
    scopes: Mutex<Scopes>,
}

/// What there is to serve.
#[derive(Clone, Debug)]
pub enum State {
    /// Nothing yet, and why.
    Starting {
        reason: String,
    },
    Serving(Arc<Published>),
}

#[derive(Debug)]
struct Scopes {
    bodies: HashMap<Scope, watch::Sender<Body>>,
    /// The bytes of all of them, once each: most workloads of a namespace have the same.
    contents: HashMap<Digest, Bytes>,
    /// How many there may be before those that nobody waits for are dropped.
    sweep_at: usize,
    /// When that was done.
    swept: Option<Instant>,
}

const FIRST_SWEEP: usize = 1_024;

/// How many scopes are kept. Who asks for one more gets its bytes and cannot wait for the next.
const MAX_SCOPES: usize = 20_000;

/// How often it is tried to make room while there is none: that looks at all of them.
const SWEEPS_APART: Duration = Duration::from_secs(1);

/// How many policies are held against how many workloads to tell which select nothing.
const MAX_COMPARISONS: usize = 1_000_000;

impl Default for Publisher {
    fn default() -> Self {
        let reason = "nothing has been loaded yet".to_owned();
        Self { newest: watch::Sender::new(State::Starting { reason }), scopes: Mutex::default() }
    }
}

impl Default for Scopes {
    fn default() -> Self {
        Self { bodies: HashMap::new(), contents: HashMap::new(), sweep_at: FIRST_SWEEP, swept: None }
    }
}

impl Publisher {
    /// Hears of whatever is published from now on, also where it changes nothing.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.newest.subscribe()
    }

    /// What there is to serve now.
    pub fn state(&self) -> State {
        self.newest.borrow().clone()
    }

    /// Waits until what there is to serve is such.
    pub async fn until(&self, is_such: impl FnMut(&State) -> bool) {
        // The sender is `self`: it is never gone.
        let _ = self.newest.subscribe().wait_for(is_such).await;
    }

    /// Says why there is nothing to serve; what is served already stays.
    pub fn not_yet(&self, reason: String) {
        self.newest.send_if_modified(|state| match state {
            State::Starting { reason: known } => {
                *known = reason;
                true
            }
            State::Serving(_) => false,
        });
    }

    /// There is nothing to serve any more, and why.
    pub fn withdraw(&self, reason: String) {
        self.newest.send_replace(State::Starting { reason });
    }

    /// Serves a catalog from now on; the number of scopes whose bytes changed.
    pub fn publish(&self, published: impl Into<Arc<Published>>) -> usize {
        let published = published.into();
        let mut scopes = self.lock();
        scopes.sweep();
        let Scopes { bodies, contents, .. } = &mut *scopes;
        contents.clear();
        self.newest.send_replace(State::Serving(Arc::clone(&published)));
        let changed = bodies.iter().filter(|(scope, body)| {
            let new = Body::of(&published, scope).shared(contents);
            body.send_if_modified(|old| {
                // The revision moves on in silence: a commit that leaves the bytes alone wakes nobody.
                let changed = old.digest != new.digest;
                *old = new;
                changed
            })
        });
        changed.count()
    }

    /// The bytes of a scope, now and whenever they change; `Err` is why there are none yet.
    pub fn subscribe(&self, scope: Scope) -> Result<watch::Receiver<Body>, String> {
        let mut scopes = self.lock();
        let published = match &*self.newest.borrow() {
            State::Starting { reason } => return Err(reason.clone()),
            State::Serving(published) => Arc::clone(published),
        };
        if scopes.is_to_be_swept() {
            scopes.sweep();
        }
        let Scopes { bodies, contents, .. } = &mut *scopes;
        let is_full = bodies.len() >= MAX_SCOPES;
        Ok(match bodies.entry(scope) {
            Entry::Occupied(known) => known.get().subscribe(),
            // Its sender is gone, so whoever waits is told at once that nothing more will come.
            Entry::Vacant(new) if is_full => watch::channel(Body::of(&published, new.key())).1,
            Entry::Vacant(new) => {
                let body = Body::of(&published, new.key()).shared(contents);
                new.insert(watch::Sender::new(body)).subscribe()
            }
        })
    }

    /// The digest of what a scope has now, if there is anything.
    pub fn digest(&self, scope: &Scope) -> Option<Digest> {
        let known = self.lock().bodies.get(scope).map(|body| body.borrow().digest);
        known.or_else(|| Some(self.subscribe(scope.clone()).ok()?.borrow().digest))
    }

    /// How many scopes are kept, and how many requests wait for one of them to change.
    pub fn load(&self) -> (usize, usize) {
        let scopes = self.lock();
        (scopes.bodies.len(), scopes.bodies.values().map(watch::Sender::receiver_count).sum())
    }

    /// The policies in force that select none of the workloads whose proxies wait here: most likely a
    /// mistyped name. While nobody waits, or where there is too much to compare, nothing is said.
    pub fn select_nothing(&self) -> Vec<PolicyName> {
        let State::Serving(published) = self.state() else { return Vec::new() };
        let scopes = self.lock();
        let waited_for = scopes.bodies.iter().filter(|(_, body)| body.receiver_count() > 0);
        let workloads: Vec<_> = waited_for.map(|(scope, _)| scope).collect();
        let comparisons = workloads.len().saturating_mul(published.catalog.policies().len());
        if !(1..=MAX_COMPARISONS).contains(&comparisons) {
            return Vec::new();
        }
        let in_force = published.catalog.in_force(published.at).map(|placed| &placed.entry.policy);
        let nothing = |policy: &&Arc<Policy>| {
            !workloads.iter().any(|workload| workload.is_selected_by(&policy.selector))
        };
        in_force.filter(nothing).map(|policy| policy.name.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Scopes> {
        // Whoever held it when it panicked left whole bodies behind: each is replaced in one step.
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Published {
    /// The same revision, with nothing in force, and why.
    pub fn withdrawn(&self, reason: String) -> Self {
        let Self { revision, lineage, .. } = self.clone();
        let withdrawn = Some(reason);
        Self { revision, lineage, catalog: Catalog::default(), halted: false, withdrawn, at: self.at }
    }

    /// Whether nothing is injected, whatever the source says.
    pub fn is_stopped(&self) -> bool {
        self.halted || self.withdrawn.is_some()
    }
}

impl Scopes {
    fn is_to_be_swept(&self) -> bool {
        let is_full = self.bodies.len() >= MAX_SCOPES;
        self.bodies.len() >= self.sweep_at
            && !(is_full && self.swept.is_some_and(|swept| swept.elapsed() < SWEEPS_APART))
    }

    /// Forgets the scopes that nobody waits for.
    fn sweep(&mut self) {
        self.bodies.retain(|_, body| body.receiver_count() > 0);
        let used: HashSet<_> = self.bodies.values().map(|body| body.borrow().digest).collect();
        self.contents.retain(|digest, _| used.contains(digest));
        self.sweep_at = FIRST_SWEEP.max(2 * self.bodies.len()).min(MAX_SCOPES);
        self.swept = Some(Instant::now());
    }
}

impl Body {
    fn of(published: &Published, scope: &Scope) -> Self {
        let bytes = published.catalog.snapshot(scope, published.at).encode();
        Self { digest: Digest::of(&bytes), bytes: bytes.into(), revision: published.revision.clone() }
    }

    /// The same, in the bytes that those with equal ones have.
    fn shared(self, contents: &mut HashMap<Digest, Bytes>) -> Self {
        let bytes = contents.entry(self.digest).or_insert(self.bytes).clone();
        Self { bytes, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use policies::{
        Scope, Timestamp,
        catalog::{Catalog, Sources},
        file::File,
    };

    use super::{MAX_SCOPES, Published, Publisher, SWEEPS_APART};
    use crate::source::{Revision, lineage::Lineage};

    fn publish(publisher: &Publisher, services: &[&str]) {
        let one = |service: &&str| {
            format!(
                "metadata: {{name: {service}}}\nspec: {{selector: {{service: {service}}}, rules: [{{fault: {{percentage: 1, delay_ms: 1}}}}]}}\n---\n"
            )
        };
        let file = File::read(services.iter().map(one).collect::<String>().as_bytes());
        let path = "a.yaml".into();
        let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
        let catalog = Catalog::new(&sources, |_, _| None);
        let at = Timestamp::from_millis(0);
        let (revision, lineage) = (Revision::new("main@sha1:1".into()), Lineage::default());
        publisher.publish(Published { revision, lineage, catalog, halted: false, withdrawn: None, at });
    }

    #[test]
    fn equal_bytes_are_kept_once() {
        let publisher = Publisher::default();
        let scope = |service: &str| Scope::new(["demo"], [service]).unwrap();
        let bytes = |service: &str| publisher.subscribe(scope(service)).unwrap();
        publish(&publisher, &["checkout"]);
        let waiting = ["a", "b", "checkout"].map(bytes);
        for services in [&["checkout"][..], &["cart"], &["a", "b"], &["a", "cart"]] {
            publish(&publisher, services);
            let [a, b, checkout] = waiting.each_ref().map(|body| body.borrow().bytes.clone());
            assert_eq!(a == b, a.as_ptr() == b.as_ptr(), "{services:?}");
            assert_eq!(b == checkout, b.as_ptr() == checkout.as_ptr(), "{services:?}");
        }
        assert_eq!(publisher.lock().contents.len(), 2, "bytes that nobody has are kept");
    }

    #[test]
    fn who_asks_for_one_scope_too_many_gets_its_bytes_and_cannot_wait() {
        let publisher = Publisher::default();
        publish(&publisher, &["last"]);
        let scope = |i: usize| Scope::new(["demo"], [format!("s{i}").as_str()]).unwrap();
        let held: Vec<_> = (0..MAX_SCOPES).map(|i| publisher.subscribe(scope(i)).unwrap()).collect();
        let one_more = publisher.subscribe(Scope::new(["demo"], ["last"]).unwrap()).unwrap();
        assert_eq!(publisher.load(), (MAX_SCOPES, MAX_SCOPES));
        assert!(one_more.has_changed().is_err() && held.iter().all(|body| body.has_changed().is_ok()));
        assert_ne!(one_more.borrow().digest, held.first().unwrap().borrow().digest);
        drop(held);
        let begun = Instant::now();
        while publisher.subscribe(Scope::new(["demo"], ["last"]).unwrap()).unwrap().has_changed().is_err() {
            assert!(begun.elapsed() < 10 * SWEEPS_APART, "room is not made again");
        }
    }

    #[test]
    fn a_policy_for_a_workload_that_nobody_has_heard_of_is_told() {
        let publisher = Publisher::default();
        publish(&publisher, &["checkout", "chekout"]);
        assert!(publisher.select_nothing().is_empty(), "nobody has asked yet");
        let waiting = publisher.subscribe(Scope::new(["demo"], ["checkout"]).unwrap());
        let told: Vec<_> = publisher.select_nothing().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["chekout"]);
        drop(waiting);
        assert!(publisher.select_nothing().is_empty());
    }
}
