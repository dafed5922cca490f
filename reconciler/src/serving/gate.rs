//! The way out: while a file exists, every snapshot is empty.
//!
//! It needs neither Git nor a reconcile that comes to its end: what is in force is kept aside here, and
//! nothing is published in its place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policies::{Catalog, Digest};

use super::{published::Published, publisher::Publisher};
use crate::{
    clock::now,
    source::{Revision, ancestry::Lineage},
};

/// Stands before the publisher and lets through what is in force, or while halted nothing.
#[derive(Debug)]
pub struct Gate {
    publisher: Arc<Publisher>,
    aside: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    halted: bool,
    in_force: Option<Arc<Published>>,
    /// Why nothing is in force.
    reason: String,
}

impl Gate {
    /// Lets everything through.
    pub fn new(publisher: Arc<Publisher>) -> Self {
        let reason = "nothing has been loaded yet".to_owned();
        Self { publisher, aside: Mutex::new(Held { halted: false, in_force: None, reason }) }
    }

    /// What this stands before.
    pub fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// What is in force, halted or not.
    pub fn in_force(&self) -> Option<Arc<Published>> {
        self.lock().in_force.clone()
    }

    /// This is in force from now on; the number of scopes whose bytes changed.
    pub fn publish(&self, published: Published) -> usize {
        let mut aside = self.lock();
        let published = Arc::new(published);
        aside.in_force = Some(Arc::clone(&published));
        self.publisher.publish(if aside.halted { Arc::new(aside.emptied()) } else { published })
    }

    /// Says why nothing is in force; what is in force already stays.
    pub fn not_yet(&self, reason: String) {
        let mut aside = self.lock();
        aside.reason.clone_from(&reason);
        self.publisher.not_yet(reason);
    }

    /// Empties every snapshot, or brings back what is in force. Whether that is new.
    pub fn halt(&self, halted: bool) -> bool {
        let mut aside = self.lock();
        if std::mem::replace(&mut aside.halted, halted) == halted {
            return false;
        }
        match &aside.in_force {
            _ if halted => {
                self.publisher.publish(aside.emptied());
            }
            Some(in_force) => {
                self.publisher.publish(Arc::clone(in_force));
            }
            None => self.publisher.withdraw(aside.reason.clone()),
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Whoever held it when it panicked had changed one field or none.
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// What is in force without what it says. The revision stays: the source has not changed.
    fn emptied(&self) -> Published {
        let (revision, lineage) = match &self.in_force {
            Some(in_force) => (in_force.revision.clone(), in_force.lineage.clone()),
            None => (Revision::new(format!("halt@{}", Digest::of(b""))), Lineage::default()),
        };
        let withdrawn = self.in_force.as_ref().and_then(|in_force| in_force.withdrawn.clone());
        let catalog = Arc::<Catalog>::default();
        Published { revision, lineage, catalog, halted: true, withdrawn, at: now() }
    }
}
