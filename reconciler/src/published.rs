//! What is served: the newest catalog, and of it the bytes of every scope that somebody asks for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use policies::{Digest, Policy, Scope, Timestamp, catalog::Catalog, name::PolicyName};
use tokio::sync::watch;

use crate::source::Revision;

/// A catalog and where it comes from.
#[derive(Debug)]
pub struct Published {
    pub revision: Revision,
    pub catalog: Catalog,
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
    /// How many there may be before those that nobody waits for are dropped.
    sweep_at: usize,
}

const FIRST_SWEEP: usize = 1_024;

/// How many policies are held against how many workloads to tell which select nothing.
const MAX_COMPARISONS: usize = 1_000_000;

impl Default for Publisher {
    fn default() -> Self {
        let reason = "nothing has been loaded yet".to_owned();
        Self {
            newest: watch::Sender::new(State::Starting { reason }),
            scopes: Mutex::new(Scopes { bodies: HashMap::new(), sweep_at: FIRST_SWEEP }),
        }
    }
}

impl Publisher {
    /// What there is to serve now.
    pub fn state(&self) -> State {
        self.newest.borrow().clone()
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

    /// Serves a catalog from now on; the number of scopes whose bytes changed.
    pub fn publish(&self, published: Published) -> usize {
        let published = Arc::new(published);
        let mut scopes = self.lock();
        scopes.sweep();
        self.newest.send_replace(State::Serving(Arc::clone(&published)));
        let changed = scopes.bodies.iter().filter(|(scope, body)| {
            let new = Body::of(&published, scope);
            body.send_if_modified(|old| {
                let changed = old.digest != new.digest;
                // The revision moves on in silence: a commit that leaves the bytes alone wakes nobody.
                *old = if changed { new } else { Body { revision: new.revision, ..old.clone() } };
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
        if scopes.bodies.len() >= scopes.sweep_at {
            scopes.sweep();
        }
        let body = scopes.bodies.entry(scope);
        Ok(match body {
            std::collections::hash_map::Entry::Occupied(known) => known.get().subscribe(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let body = Body::of(&published, new.key());
                new.insert(watch::Sender::new(body)).subscribe()
            }
        })
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

impl Scopes {
    /// Forgets the scopes that nobody waits for.
    fn sweep(&mut self) {
        self.bodies.retain(|_, body| body.receiver_count() > 0);
        self.sweep_at = FIRST_SWEEP.max(2 * self.bodies.len());
    }
}

impl Body {
    fn of(published: &Published, scope: &Scope) -> Self {
        let bytes = published.catalog.snapshot(scope, published.at).encode();
        Self { digest: Digest::of(&bytes), bytes: bytes.into(), revision: published.revision.clone() }
    }
}

#[cfg(test)]
mod tests {
    use policies::{
        Scope, Timestamp,
        catalog::{Catalog, Sources},
        file::File,
    };

    use super::{Published, Publisher};
    use crate::source::Revision;

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
        publisher.publish(Published { revision: Revision::new("main@sha1:1".into()), catalog, at });
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
