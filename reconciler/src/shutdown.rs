//! The request to shut down, for everything that waits.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::Either;
use tokio::sync::Notify;

/// Receives the request to shut down.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Request>);

/// Requests the shutdown when asked to, and when it is dropped.
#[derive(Debug)]
pub struct Trigger(Arc<Request>);

#[derive(Debug, Default)]
struct Request {
    is_made: AtomicBool,
    made: Notify,
}

/// A shutdown that is not requested yet.
pub fn channel() -> (Trigger, Shutdown) {
    let request = Arc::default();
    (Trigger(Arc::clone(&request)), Shutdown(request))
}

impl Trigger {
    pub fn request(&self) {
        self.0.is_made.store(true, Ordering::Release);
        self.0.made.notify_waiters();
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        self.request();
    }
}

impl Shutdown {
    pub fn is_requested(&self) -> bool {
        self.0.is_made.load(Ordering::Acquire)
    }

    /// Waits until the shutdown is requested. Small, because every connection keeps one.
    pub fn requested(&self) -> impl Future<Output = ()> + Send {
        // Created before the look, so that a request in between is not lost.
        let made = self.0.made.notified();
        if self.is_requested() { Either::Left(ready(())) } else { Either::Right(made) }
    }
}
