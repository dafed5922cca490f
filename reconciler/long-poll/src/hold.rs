//! The end of a wait.

use std::{future::poll_fn, pin::Pin, task::Poll};

use tokio::time::Instant;

use crate::deadline::Deadline;

/// A future, of which only the end counts.
type Signal<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

/// Holds a poll. It uses the connection's one timer.
#[expect(missing_debug_implementations, reason = "it is a timer and a future, lent for one poll")]
pub struct Hold<'a> {
    timer: &'a mut Deadline,
    shutdown: Signal<'a>,
}

impl<'a> Hold<'a> {
    pub(crate) fn new(timer: &'a mut Deadline, shutdown: Signal<'a>) -> Self {
        Self { timer, shutdown }
    }

    /// Ends at this instant, or earlier if the server shuts down.
    pub fn until(self, instant: Instant) -> impl Future<Output = ()> + Send {
        let Self { timer, mut shutdown } = self;
        timer.set(instant);
        poll_fn(move |cx| match shutdown.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => timer.poll(cx),
        })
    }
}
