//! What goes on over a connection that can carry several requests at once.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{Error, body::Body};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until},
};

/// How much of a body is handed on at once. HTTP/2 asks for the next one when it may send something of
/// the one before: whoever takes two of them is seen to take something.
const PIECE: usize = 4_096;

/// How many requests are open, or since when none is, and whether the client takes what it asked for.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct State {
    open: usize,
    /// When that became so.
    since: Instant,
    /// How many of them have an answer that is not sent yet.
    sending: usize,
    /// When the client last took something of one, or the first of them came to be.
    taken: Instant,
}

/// A request that is open for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Open {
    activity: Arc<Activity>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Activity {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State { open: 0, since: now, sending: 0, taken: now }))
    }

    /// A request begins.
    pub(crate) fn begin(self: Arc<Self>, permit: Option<OwnedSemaphorePermit>) -> Open {
        self.change(|state| {
            state.open = state.open.saturating_add(1);
            state.since = Instant::now();
        });
        Open { activity: self, _permit: permit }
    }

    /// Waits until none has been open for so long.
    pub(crate) async fn idle_for(&self, time: Duration) {
        loop {
            let State { open, since, .. } = self.state();
            let due = if open == 0 { since + time } else { Instant::now() + time };
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Waits until there was something to send for so long, and the client took nothing of it.
    pub(crate) async fn stalled_for(&self, time: Duration) {
        loop {
            let State { sending, taken, .. } = self.state();
            let due = if sending > 0 { taken + time } else { Instant::now() + time };
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn state(&self) -> State {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.activity.change(|state| {
            state.open = state.open.saturating_sub(1);
            state.since = Instant::now();
        });
    }
}

/// An answer that is being sent for as long as this is kept.
#[derive(Debug)]
struct Sending {
    open: Open,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Sending {
    fn begin(open: Open, memory: Option<OwnedSemaphorePermit>) -> Self {
        open.activity.change(|state| {
            if state.sending == 0 {
                state.taken = Instant::now();
            }
            state.sending = state.sending.saturating_add(1);
        });
        Self { open, _memory: memory }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.open.activity.change(|state| state.sending = state.sending.saturating_sub(1));
    }
}

/// Bytes of an answer, wherever they wait to be sent.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    _sending: Arc<Sending>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The body of an answer: until the last byte of it has been sent, its request is open and its memory
/// taken.
#[derive(Debug)]
pub(crate) struct Counted {
    body: Body,
    /// Of the body, and not handed on yet.
    rest: Bytes,
    sending: Arc<Sending>,
}

impl Counted {
    pub(crate) fn new(body: Body, open: Open, memory: Option<OwnedSemaphorePermit>) -> Self {
        Self { body, rest: Bytes::new(), sending: Arc::new(Sending::begin(open, memory)) }
    }
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.rest.is_empty() {
            let data = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame.into_data(),
                end => return Poll::Ready(end),
            };
            match data {
                // HTTP/2 takes what it is given also where it may not send it: that still counts.
                Ok(bytes) => {
                    self.rest = Bytes::from_owner(Piece { bytes, _sending: Arc::clone(&self.sending) });
                }
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        self.sending.open.activity.change(|state| state.taken = Instant::now());
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
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
