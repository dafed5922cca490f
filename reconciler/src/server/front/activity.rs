//! What goes on over a connection that can carry several requests at once.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Error, body::Body};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until},
};

/// How many requests are open, or since when none is.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct State {
    open: usize,
    /// When that became so.
    since: Instant,
}

/// A request that is open for as long as this is kept.
#[derive(Debug)]
pub(super) struct Open {
    activity: Arc<Activity>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { open: 0, since: Instant::now() }))
    }

    /// A request begins.
    pub(super) fn begin(self: Arc<Self>, permit: Option<OwnedSemaphorePermit>) -> Open {
        self.change(|open| open.saturating_add(1));
        Open { activity: self, _permit: permit }
    }

    /// Waits until none has been open for so long.
    pub(super) async fn idle_for(&self, time: Duration) {
        loop {
            let State { open, since } = self.state();
            let due = if open == 0 { since + time } else { Instant::now() + time };
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn state(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(usize) -> usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { open: change(state.open), since: Instant::now() };
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.activity.change(|open| open.saturating_sub(1));
    }
}

/// The body of an answer: until it has been sent, its request is open.
#[derive(Debug)]
pub(super) struct Counted {
    body: Body,
    _open: Open,
}

impl Counted {
    pub(super) fn new(body: Body, open: Open) -> Self {
        Self { body, _open: open }
    }
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::time::{Instant, timeout};

    use super::Activity;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_nothing_has_been_open_for_a_while() {
        let second = Duration::from_secs(1);
        let activity = Arc::new(Activity::new());
        let begun = Instant::now();
        let (one, other) = (Arc::clone(&activity).begin(None), Arc::clone(&activity).begin(None));
        assert!(timeout(100 * second, activity.idle_for(10 * second)).await.is_err(), "two are open");
        drop(one);
        assert!(timeout(100 * second, activity.idle_for(10 * second)).await.is_err(), "one is open");
        drop(other);
        activity.idle_for(10 * second).await;
        assert_eq!(begun.elapsed(), 210 * second);
    }
}
