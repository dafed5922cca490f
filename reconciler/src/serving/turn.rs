//! The turns of publications: one after another, and none of them on a thread that answers requests.

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Mutex, PoisonError};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

/// One publication at a time.
#[derive(Debug, Default)]
pub(super) struct OneAtATime(Mutex<()>);

impl OneAtATime {
    /// Waits for the turn, and publishes. The thread of the runtime that asks for it hands its other tasks to another thread
    /// first, so that the requests which a publication wakes are answered while it goes on. That other thread is one of
    /// those for blocking work. While all of these are busy, the publication goes on all the same, and requests wait for it.
    pub(super) fn take<T>(&self, publish: impl FnOnce() -> T) -> T {
        let in_turn = || {
            // After a panic, the next publication shows all of the state.
            let _turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            publish()
        };
        match Handle::try_current() {
            Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => block_in_place(in_turn),
            _ => in_turn(),
        }
    }
}
