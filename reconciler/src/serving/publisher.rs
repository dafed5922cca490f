//! The hub of all readers, written by the [gate](super::gate) alone: it holds the newest publication, and wakes the requests whose bytes changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policies::{Digest, repository::ActiveSet};
use tokio::sync::watch;

use super::{
    published::{Body, Publication, Published, Variant},
    scope_cache::{Occupancy, ScopeCache},
    turnover::Turnover,
};
use crate::clients::Client;

/// Serves readers from what was published last.
#[derive(Debug)]
pub struct Publisher {
    newest: watch::Sender<Publication>,
    scopes: Mutex<ScopeCache>,
    /// What came into force and went.
    pub turnover: Turnover,
}

impl Default for Publisher {
    fn default() -> Self {
        let reason = "nothing has been loaded yet".to_owned();
        Self {
            newest: watch::Sender::new(Publication::Starting { reason }),
            scopes: Mutex::default(),
            turnover: Turnover::default(),
        }
    }
}

impl Publisher {
    /// Receives every publication from now on, also one that changes nothing.
    pub fn watch(&self) -> watch::Receiver<Publication> {
        self.newest.subscribe()
    }

    /// The newest publication.
    pub fn publication(&self) -> Publication {
        self.newest.borrow().clone()
    }

    /// Tells whether reports describe a policy of a name, by the newest publication.
    pub fn reported_names(&self) -> impl Fn(&str) -> bool + Send + use<> {
        let publication = self.publication();
        if let Publication::Serving(published) = &publication {
            // Made here, not where it is asked for: reports wait for each other.
            published.names();
        }
        move |name| match &publication {
            Publication::Serving(published) => published.names().contains(name),
            Publication::Starting { .. } => false,
        }
    }

    /// Waits until the newest publication meets a condition.
    pub async fn until(&self, condition: impl FnMut(&Publication) -> bool) {
        // The sender is `self`, so it cannot be gone.
        let _ = self.newest.subscribe().wait_for(condition).await;
    }

    /// Sets the reason why there is nothing to serve; a catalog that is served stays.
    pub(super) fn not_yet(&self, reason: String) {
        self.newest.send_if_modified(|newest| match newest {
            Publication::Starting { reason: known } => {
                *known = reason;
                true
            }
            Publication::Serving(_) => false,
        });
    }

    /// Stops serving, and sets the reason.
    pub(super) fn stop(&self, reason: String) {
        self.newest.send_replace(Publication::Starting { reason });
    }

    /// Serves a catalog from now on; the number of scopes whose bytes changed. One call at a time; readers do not wait for it.
    pub(super) fn publish(&self, published: Arc<Published>) -> usize {
        let active = Arc::new(ActiveSet::new(&published.served(), published.whole.at));
        let (before, kept) = {
            let mut scopes = self.lock();
            (Arc::clone(scopes.active()), scopes.begin_update())
        };
        // Without the lock: requests that arrive meanwhile get the old bytes. Scopes that no change touches
        // keep their bytes.
        let changes = active.changes(&before);
        let make = |variant: Arc<Variant>| {
            let is_touched = changes.touch(&variant.scope);
            let body = is_touched.then(|| Body::of(&active, &published, &variant));
            body.map(|body| (variant, body))
        };
        let mut made: Vec<_> = kept.into_iter().filter_map(make).collect();

        let mut scopes = self.lock();
        made.extend(scopes.take_added().into_iter().filter_map(make));
        let was = self.newest.send_replace(Publication::Serving(Arc::clone(&published)));
        let changed = scopes.update(Arc::clone(&active), &published, made);
        drop(scopes);
        // After the requests are woken, since nobody waits for this.
        self.turnover.note(&was, &published, &changes);
        changed
    }

    /// A scope in a format, as it is kept if it is: there may be many proxies of one workload.
    pub fn shared(&self, variant: &Arc<Variant>) -> Arc<Variant> {
        Arc::clone(self.lock().kept(variant).unwrap_or(variant))
    }

    /// The bytes of a scope in a format, for the replica itself.
    pub fn subscribe(&self, variant: Arc<Variant>) -> Result<watch::Receiver<Body>, String> {
        self.subscribe_for(Client::default(), variant)
    }

    /// The bytes of a scope in a format, now and whenever they change; `Err` is the reason why there are none
    /// yet.
    pub fn subscribe_for(
        &self,
        client: Client,
        variant: Arc<Variant>,
    ) -> Result<watch::Receiver<Body>, String> {
        let mut made: Option<(Arc<ActiveSet>, Body)> = None;
        loop {
            let mut scopes = self.lock();
            let published = match &*self.newest.borrow() {
                Publication::Starting { reason } => return Err(reason.clone()),
                Publication::Serving(published) => Arc::clone(published),
            };
            if let Some(known) = scopes.get(&variant) {
                return Ok(known);
            }
            let active = Arc::clone(scopes.active());
            match made.take() {
                Some((of, body)) if Arc::ptr_eq(&of, &active) => {
                    return Ok(scopes.insert(variant, body, client));
                }
                // Something else was published meanwhile, or this is the first turn.
                _ => drop(scopes),
            }
            let body = Body::of(&active, &published, &variant);
            made = Some((active, body));
        }
    }

    /// The digest of a scope's bytes in a format, if there are any. Bytes that are not kept are made anew: scopes that other
    /// replicas tell of take no place from those for which requests wait here.
    pub fn digest(&self, variant: &Variant) -> Option<Digest> {
        let (active, published) = {
            let scopes = self.lock();
            if let Some(known) = scopes.digest(variant) {
                return Some(known);
            }
            let Publication::Serving(published) = &*self.newest.borrow() else { return None };
            (Arc::clone(scopes.active()), Arc::clone(published))
        };
        Some(Body::of(&active, &published, variant).digest)
    }

    /// The scopes that are kept, and the requests that wait for one of them to change.
    pub fn occupancy(&self) -> Occupancy {
        self.lock().occupancy()
    }

    /// The active policies.
    pub(crate) fn active(&self) -> Arc<ActiveSet> {
        Arc::clone(self.lock().active())
    }

    /// The active policies, and the scopes that at least one request waits for.
    pub(crate) fn waited_for(&self) -> (Arc<ActiveSet>, Vec<Arc<Variant>>) {
        let scopes = self.lock();
        (Arc::clone(scopes.active()), scopes.waited_for())
    }

    fn lock(&self) -> MutexGuard<'_, ScopeCache> {
        // A panic leaves whole bodies behind: each is replaced in one step.
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use policies::{Catalog, Digest, File, Scope, Timestamp, repository::Sources, wire::Format};

    use proptest::prelude::*;

    use super::{Publication, Published, Publisher};
    use crate::{
        serving::published::{Holds, Variant, Whole},
        source::{Revision, ancestry::Ancestry},
    };

    /// Each step publishes policies, of which each selects a service (or any) and has a status, or asks for
    /// one more scope.
    fn steps() -> impl Strategy<Value = Vec<Result<Vec<(usize, u16)>, usize>>> {
        let policies = prop::collection::vec((0..4_usize, 400..403_u16), 0..6).prop_map(Ok);
        prop::collection::vec(prop_oneof![2 => policies, 1 => (0..4_usize).prop_map(Err)], 1..20)
    }

    fn publish(publisher: &Publisher, revision: &str, catalog: Arc<Catalog>) {
        let (revision, at) = (Revision::new(revision.to_owned()), Timestamp::from_millis(0));
        let whole = Whole { revision, ancestry: Ancestry::default(), signed: None, catalog, at };
        publisher.publish(Arc::new(Published::new(whole, Holds::default())));
    }

    #[test]
    fn a_digest_that_is_asked_for_takes_no_place() {
        let publisher = Publisher::default();
        let variant = Variant::from(Scope::new(["demo"], ["cart"]).unwrap());
        assert_eq!(publisher.digest(&variant), None);
        publish(&publisher, "main@sha1:1", Arc::default());
        let digest = publisher.digest(&variant).unwrap();
        assert_eq!(publisher.occupancy().scopes, 0);
        assert_eq!(publisher.subscribe(Arc::new(variant)).unwrap().borrow().digest, digest);
    }

    #[test]
    fn requests_for_one_scope_share_it() {
        let publisher = Publisher::default();
        publish(&publisher, "main@sha1:1", Arc::default());
        let shared = || publisher.shared(&Arc::new(Scope::new(["demo"], ["cart"]).unwrap().into()));
        let first = shared();
        let _waits = publisher.subscribe(Arc::clone(&first)).unwrap();
        assert!(Arc::ptr_eq(&first, &shared()));
    }

    const SERVICES: [&str; 4] = ["a", "b", "c", "*"];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_waiting_request_has_the_bytes_that_the_catalog_gives_for_its_scope(steps in steps()) {
            let publisher = Publisher::default();
            publish(&publisher, "main@sha1:start", Arc::default());
            let mut waiting = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Err(service) => {
                        let scope = Scope::new(["demo"], [SERVICES[service]]).unwrap();
                        let variant = Variant { scope, format: Format::ALL[number % 2] };
                        let body = publisher.subscribe(Arc::new(variant.clone())).unwrap();
                        waiting.push((variant, body));
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
                        let before: Vec<_> = waiting.iter_mut().map(|(_, body)| body.borrow_and_update().digest).collect();
                        publish(&publisher, &format!("main@sha1:{number}"), catalog);
                        for ((_, body), before) in waiting.iter().zip(before) {
                            prop_assert_eq!(body.has_changed().unwrap(), body.borrow().digest != before);
                        }
                    }
                }
                let Publication::Serving(published) = publisher.publication() else { panic!("nothing is served") };
                for (Variant { scope, format }, body) in &waiting {
                    let body = body.borrow();
                    let plain = published.whole.catalog.snapshot(scope, published.whole.at).encode(*format);
                    prop_assert_eq!(&body.bytes[..], &plain[..]);
                    prop_assert_eq!(body.digest, Digest::of(&plain));
                    prop_assert_eq!(body.revision(), &published.whole.revision);
                }
            }
        }
    }
}
