//! Clients that poll and do not say which snapshot they run: those of the first generation, and filters whose node has no
//! id that can be read. What they inject is not known.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use policies::Timestamp;

use crate::clock::now;

/// The last poll of any of them at this replica.
#[derive(Debug, Default)]
pub struct Unreported {
    /// In milliseconds since 1970; 0 before the first one.
    last: AtomicU64,
}

impl Unreported {
    /// Notes a poll, or that one is being held.
    pub fn polled(&self) {
        self.last.store(now().as_millis(), Relaxed);
    }

    /// The time of the last poll; `None` if there was none.
    pub fn last(&self) -> Option<Timestamp> {
        match self.last.load(Relaxed) {
            0 => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }
}
