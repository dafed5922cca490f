//! What is served: the newest catalog, and of it the bytes of every scope that somebody asks for.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use policies::{Catalog, Digest, Policy, Scope, Timestamp, repository::ActiveSet, wire::Format};
use tokio::sync::watch;

use crate::source::{Revision, ancestry::Lineage};

/// A catalog and where it comes from.
#[derive(Clone, Debug)]
pub struct Published {
    pub revision: Revision,
    pub lineage: Lineage,
    /// Empty while [halted](crate::serving::gate).
    pub catalog: Arc<Catalog>,
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
    /// Held while something is published: one thing after another, but not before those who read.
    publishing: Mutex<()>,
    /// What was in force when it was last told what selects nothing.
    judged: Mutex<Arc<ActiveSet>>,
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
    bodies: HashMap<Arc<Scope>, watch::Sender<Body>>,
    /// What they are of.
    in_force: Arc<ActiveSet>,
    /// Those that have come since publishing last began.
    new: Vec<Arc<Scope>>,
    /// The bytes of all of them, once each: most workloads of a namespace have the same.
    contents: HashMap<Digest, Bytes>,
    /// How many there may be before those that nobody waits for are dropped.
    sweep_at: usize,
    /// When that was done.
    swept: Option<Instant>,
}

const FIRST_SWEEP: usize = 1_024;

/// How many scopes are kept. Who asks for one more gets its bytes and cannot wait for the next.
pub(crate) const MAX_SCOPES: usize = 20_000;

/// How often it is tried to make room while there is none: that looks at all of them.
const SWEEPS_APART: Duration = Duration::from_secs(1);

/// How many policies are held against how many workloads to tell which select nothing.
const MAX_COMPARISONS: usize = 1_000_000;

impl Default for Publisher {
    fn default() -> Self {
        let reason = "nothing has been loaded yet".to_owned();
        Self {
            newest: watch::Sender::new(State::Starting { reason }),
            scopes: Mutex::default(),
            publishing: Mutex::default(),
            judged: Mutex::default(),
        }
    }
}

impl Default for Scopes {
    fn default() -> Self {
        Self {
            bodies: HashMap::new(),
            in_force: Arc::default(),
            new: Vec::new(),
            contents: HashMap::new(),
            sweep_at: FIRST_SWEEP,
            swept: None,
        }
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
        let _turn = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let in_force = Arc::new(ActiveSet::new(&published.catalog, published.at));
        let (before, kept) = {
            let mut scopes = self.lock();
            scopes.sweep();
            scopes.new.clear();
            (Arc::clone(&scopes.in_force), scopes.bodies.keys().cloned().collect::<Vec<_>>())
        };
        // Aside: whoever polls meanwhile gets what has been served until now. Scopes that no change
        // touches keep their bytes.
        let changes = in_force.changes(&before);
        let make = |scope: Arc<Scope>| {
            let body = changes.touch(&scope).then(|| Body::of(&in_force, &published.revision, &scope));
            body.map(|body| (scope, body))
        };
        let mut made: Vec<_> = kept.into_iter().filter_map(make).collect();

        let mut scopes = self.lock();
        made.extend(std::mem::take(&mut scopes.new).into_iter().filter_map(make));
        scopes.in_force = Arc::clone(&in_force);
        self.newest.send_replace(State::Serving(Arc::clone(&published)));
        let Scopes { bodies, contents, .. } = &mut *scopes;
        let changed = made.into_iter().filter_map(|(scope, new)| {
            let (body, new) = (bodies.get(&scope)?, new.shared(contents));
            let changed = body.send_if_modified(|old| {
                let changed = old.digest != new.digest;
                *old = new;
                changed
            });
            changed.then_some(())
        });
        let changed = changed.count();
        for body in bodies.values() {
            // The revision moves on in silence: a commit that leaves the bytes alone wakes nobody.
            body.send_if_modified(|body| {
                body.revision = published.revision.clone();
                false
            });
        }
        contents.retain(|_, bytes| !bytes.is_unique());
        changed
    }

    /// The bytes of a scope, now and whenever they change; `Err` is why there are none yet.
    pub fn subscribe(&self, scope: Scope) -> Result<watch::Receiver<Body>, String> {
        let scope = Arc::new(scope);
        let mut made: Option<(Arc<ActiveSet>, Body)> = None;
        loop {
            let mut scopes = self.lock();
            let published = match &*self.newest.borrow() {
                State::Starting { reason } => return Err(reason.clone()),
                State::Serving(published) => Arc::clone(published),
            };
            if let Some(known) = scopes.bodies.get(&scope) {
                return Ok(known.subscribe());
            }
            let in_force = Arc::clone(&scopes.in_force);
            match made.take() {
                Some((of, body)) if Arc::ptr_eq(&of, &in_force) => return Ok(scopes.keep(scope, body)),
                // Something else was published meanwhile, or this is the first turn.
                _ => drop(scopes),
            }
            let body = Body::of(&in_force, &published.revision, &scope);
            made = Some((in_force, body));
        }
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

    /// The policies, of those that have come into force since this was last told, that select none of the
    /// workloads whose proxies wait here: most likely a mistyped name. While nobody waits, or where there is
    /// too much to compare, nothing is said.
    pub fn select_nothing(&self) -> Vec<Arc<Policy>> {
        let (in_force, workloads) = {
            let scopes = self.lock();
            let waited_for = scopes.bodies.iter().filter(|(_, body)| body.receiver_count() > 0);
            let workloads: Vec<_> = waited_for.map(|(scope, _)| Arc::clone(scope)).collect();
            (Arc::clone(&scopes.in_force), workloads)
        };
        if workloads.is_empty() {
            return Vec::new();
        }
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let mut arrived = in_force.changes(&judged).arrived;
        *judged = in_force;
        if workloads.len().saturating_mul(arrived.len()) > MAX_COMPARISONS {
            return Vec::new();
        }
        arrived.retain(|policy| !workloads.iter().any(|workload| workload.is_selected_by(&policy.selector)));
        arrived
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
        Self { revision, lineage, catalog: Arc::default(), halted: false, withdrawn, at: self.at }
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

    /// Keeps the body of one more scope, if there is room.
    fn keep(&mut self, scope: Arc<Scope>, body: Body) -> watch::Receiver<Body> {
        if self.is_to_be_swept() {
            self.sweep();
        }
        if self.bodies.len() >= MAX_SCOPES {
            // Its sender is gone, so whoever waits is told at once that nothing more will come.
            return watch::channel(body).1;
        }
        self.new.push(Arc::clone(&scope));
        let sender = watch::Sender::new(body.shared(&mut self.contents));
        let receiver = sender.subscribe();
        self.bodies.insert(scope, sender);
        receiver
    }

    /// Forgets the scopes that nobody waits for.
    fn sweep(&mut self) {
        self.bodies.retain(|_, body| body.receiver_count() > 0);
        let used: HashSet<_> = self.bodies.values().map(|body| body.borrow().digest).collect();
        self.contents.retain(|digest, _| used.contains(digest));
        self.new.retain(|scope| self.bodies.contains_key(scope));
        self.sweep_at = FIRST_SWEEP.max(2 * self.bodies.len()).min(MAX_SCOPES);
        self.swept = Some(Instant::now());
    }
}

impl Body {
    fn of(in_force: &ActiveSet, revision: &Revision, scope: &Scope) -> Self {
        let bytes = in_force.snapshot(scope).encode(Format::V1);
        Self { digest: Digest::of(&bytes), bytes: bytes.into(), revision: revision.clone() }
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

    use policies::{Catalog, Digest, File, Scope, Timestamp, repository::Sources};

    use proptest::prelude::*;

    use super::{MAX_SCOPES, Published, Publisher, SWEEPS_APART, State};
    use crate::source::{Revision, ancestry::Lineage};

    fn publish(publisher: &Publisher, services: &[&str]) {
        let one = |service: &&str| {
            format!(
                "metadata: {{name: {service}}}\nspec: {{selector: {{service: {service}}}, rules: [{{fault: {{percentage: 1, delay_ms: 1}}}}]}}\n---\n"
            )
        };
        let file = File::read(services.iter().map(one).collect::<String>().as_bytes());
        let path = "a.yaml".into();
        let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
        let catalog = Catalog::new(&sources, |_, _| None).into();
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

    /// What somebody does: publish policies, of which each selects a service (or any) and has a status; or
    /// ask for one more scope.
    fn steps() -> impl Strategy<Value = Vec<Result<Vec<(usize, u16)>, usize>>> {
        let policies = prop::collection::vec((0..4_usize, 400..403_u16), 0..6).prop_map(Ok);
        prop::collection::vec(prop_oneof![2 => policies, 1 => (0..4_usize).prop_map(Err)], 1..20)
    }

    const SERVICES: [&str; 4] = ["a", "b", "c", "*"];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn who_waits_has_what_a_plain_look_at_the_catalog_gives(steps in steps()) {
            let publisher = Publisher::default();
            publish(&publisher, &[]);
            let mut waiting = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Err(service) => {
                        let scope = Scope::new(["demo"], [SERVICES[service]]).unwrap();
                        let body = publisher.subscribe(scope.clone()).unwrap();
                        waiting.push((scope, body));
                    }
                    Ok(policies) => {
                        let one = |(i, (service, status)): (usize, &(usize, u16))| format!(
                            "metadata: {{name: p{i}}}\nspec: {{selector: {{service: '{}'}}, rules: [{{fault: {{percentage: 1, abort: {{httpStatus: {status}}}}}}}]}}\n---\n",
                            SERVICES[*service]
                        );
                        let text: String = policies.iter().enumerate().map(one).collect();
                        let (path, file) = ("a.yaml".into(), File::read(text.as_bytes()));
                        let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
                        let catalog = Catalog::new(&sources, |_, _| None).into();
                        let revision = Revision::new(format!("main@sha1:{number}"));
                        let (lineage, at) = (Lineage::default(), Timestamp::from_millis(0));
                        let before: Vec<_> = waiting.iter_mut().map(|(_, body)| body.borrow_and_update().digest).collect();
                        publisher.publish(Published { revision, lineage, catalog, halted: false, withdrawn: None, at });
                        for ((_, body), before) in waiting.iter().zip(before) {
                            prop_assert_eq!(body.has_changed().unwrap(), body.borrow().digest != before);
                        }
                    }
                }
                let State::Serving(published) = publisher.state() else { panic!("nothing is served") };
                for (scope, body) in &waiting {
                    let body = body.borrow();
                    let plain = published.catalog.snapshot(scope, published.at).encode(policies::wire::Format::V1);
                    prop_assert_eq!(&body.bytes[..], &plain[..]);
                    prop_assert_eq!(body.digest, Digest::of(&plain));
                    prop_assert_eq!(&body.revision, &published.revision);
                }
            }
        }
    }

    #[test]
    fn a_policy_for_a_workload_that_nobody_has_heard_of_is_told() {
        let publisher = Publisher::default();
        publish(&publisher, &["checkout", "chekout"]);
        assert!(publisher.select_nothing().is_empty(), "nobody has asked yet");
        let waiting = publisher.subscribe(Scope::new(["demo"], ["checkout"]).unwrap());
        let told: Vec<_> = publisher.select_nothing().iter().map(|policy| policy.name.to_string()).collect();
        assert_eq!(told, ["chekout"]);
        drop(waiting);
        assert!(publisher.select_nothing().is_empty());
    }
}
