//! What became of the reconciles: how fresh what is served is, and why it is no fresher.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use policies::Timestamp;

use crate::{
    clock::now,
    metrics::{Outcome, Reconciles},
};

/// Written by the reconcile loop, read by whoever wants to know.
#[derive(Debug, Default)]
pub struct Journal {
    newest: Mutex<Newest>,
    pub reconciles: Reconciles,
}

/// The newest of each kind.
#[derive(Clone, Debug, Default)]
pub struct Newest {
    /// When the source was last read from end to end.
    pub success: Option<Timestamp>,
    /// The failures since then.
    pub failure: Option<Failure>,
}

/// A source that cannot be read.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Since when.
    pub since: Timestamp,
    /// Why, the last time; free of secrets.
    pub reason: String,
}

impl Journal {
    /// The source was read.
    pub fn succeeded(&self, took: Duration) {
        self.reconciles.note(Outcome::Success, took);
        *self.lock() = Newest { success: Some(now()), failure: None };
    }

    /// The source could not be read.
    pub fn failed(&self, took: Duration, reason: String) {
        self.reconciles.note(Outcome::Failure, took);
        let mut newest = self.lock();
        let since = newest.failure.as_ref().map_or_else(now, |failure| failure.since);
        newest.failure = Some(Failure { since, reason });
    }

    pub fn newest(&self) -> Newest {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
