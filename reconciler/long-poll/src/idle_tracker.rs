//! Open requests and unsent answers of one connection.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{Error, body::Body};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::{budget::Portion, limits::ANSWER_TIME, mapped::Mapped};

/// The part of a body that is handed on at once. HTTP/2 asks for the next one when it may send some of the
/// one before: so a client that takes two of them is known to read.
const PIECE: usize = 4_096;

/// Counts open requests and unsent answers, and remembers when that last changed.
#[derive(Debug)]
pub(crate) struct IdleTracker(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct State {
    open: usize,
    /// When `open` last changed.
    since: Instant,
    /// Requests whose answer is not sent yet.
    sending: usize,
    /// When the client last read some of an answer, or when the first of them began.
    taken: Instant,
    /// Those of them that must be sent soon.
    bounded: usize,
    /// The end of the time of the first of these.
    due: Instant,
}

/// An open request, until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    tracker: Arc<IdleTracker>,
    _permit: Option<Portion>,
    begun: Instant,
}

impl IdleTracker {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State { open: 0, since: now, sending: 0, taken: now, bounded: 0, due: now }))
    }

    /// A request begins.
    pub(crate) fn begin(self: Arc<Self>, permit: Option<Portion>) -> OpenRequest {
        self.change(|state| {
            state.open = state.open.saturating_add(1);
            state.since = Instant::now();
        });
        OpenRequest { tracker: self, _permit: permit, begun: Instant::now() }
    }

    /// Tells whether no request is open.
    pub(crate) fn is_idle(&self) -> bool {
        self.state().open == 0
    }

    /// Waits until no request has been open for a time.
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

    /// Waits until the client has read nothing for a time although there was something to send.
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

    /// Waits until an answer that must be sent soon has taken too long.
    pub(crate) async fn overdue(&self) {
        loop {
            let State { bounded, due, .. } = self.state();
            // One that begins meanwhile is due later.
            let due = if bounded > 0 { due } else { Instant::now() + ANSWER_TIME / 2 };
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

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.tracker.change(|state| {
            state.open = state.open.saturating_sub(1);
            state.since = Instant::now();
        });
    }
}

/// An answer that is being sent, until it is dropped.
#[derive(Debug)]
struct UnsentAnswer {
    open: OpenRequest,
    memory: Option<Portion>,
    is_bounded: bool,
}

impl UnsentAnswer {
    fn begin(open: OpenRequest, memory: Option<Portion>, is_bounded: bool) -> Self {
        open.tracker.change(|state| {
            if state.sending == 0 {
                state.taken = Instant::now();
            }
            state.sending = state.sending.saturating_add(1);
            if is_bounded {
                if state.bounded == 0 {
                    state.due = open.begun + ANSWER_TIME;
                }
                state.bounded = state.bounded.saturating_add(1);
            }
        });
        Self { open, memory, is_bounded }
    }
}

impl Drop for UnsentAnswer {
    fn drop(&mut self) {
        self.open.tracker.change(|state| {
            state.sending = state.sending.saturating_sub(1);
            state.bounded = state.bounded.saturating_sub(usize::from(self.is_bounded));
        });
    }
}

/// Bytes of an answer, wherever they wait.
#[derive(Debug)]
struct UnsentBytes {
    bytes: Mapped,
    _sending: Arc<UnsentAnswer>,
}

impl AsRef<[u8]> for UnsentBytes {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

/// The body of an answer. Its request is open and its memory is counted until the last byte is sent.
#[derive(Debug)]
pub(crate) struct TrackedBody {
    body: Body,
    /// Bytes of the body that are not handed on yet.
    rest: Bytes,
    sending: Arc<UnsentAnswer>,
}

impl TrackedBody {
    /// `is_bounded`: the client must take all of it soon.
    pub(crate) fn new(body: Body, open: OpenRequest, memory: Option<Portion>, is_bounded: bool) -> Self {
        Self { body, rest: Bytes::new(), sending: Arc::new(UnsentAnswer::begin(open, memory, is_bounded)) }
    }
}

impl hyper::body::Body for TrackedBody {
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
                // HTTP/2 accepts bytes before it may send them: they still count.
                Ok(bytes) => {
                    // Those that are shared are kept in any case.
                    let is_shared = self.sending.memory.is_none();
                    let bytes = if is_shared { Mapped::Few(bytes) } else { bytes.into() };
                    self.rest = Bytes::from_owner(UnsentBytes { bytes, _sending: Arc::clone(&self.sending) });
                }
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        self.sending.open.tracker.change(|state| state.taken = Instant::now());
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

    use super::IdleTracker;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_nothing_has_been_open_for_a_while() {
        let second = Duration::from_secs(1);
        let tracker = Arc::new(IdleTracker::new());
        let begun = Instant::now();
        let (one, other) = (Arc::clone(&tracker).begin(None), Arc::clone(&tracker).begin(None));
        assert!(timeout(100 * second, tracker.idle_for(10 * second)).await.is_err(), "two are open");
        drop(one);
        assert!(timeout(100 * second, tracker.idle_for(10 * second)).await.is_err(), "one is open");
        drop(other);
        tracker.idle_for(10 * second).await;
        assert_eq!(begun.elapsed(), 210 * second);
    }
}
