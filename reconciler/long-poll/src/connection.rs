//! One connection: plain polls, answered one after the other, until something else is asked.

#[cfg(test)]
mod tests;

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use axum::response::Response;
use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    time::Instant,
};

use crate::{
    app::App,
    connection_limit::{Place, Seat},
    deadline::Alarm,
    hold::Hold,
    http1_response::{self, After, Answer},
    hyper_fallback,
    limits::{ENDING_TIME, HEAD_TIME, IDLE_TIME, MAX_HEAD},
    request_head::{self, Head, Protocol},
    server::Server,
    stream::Stream,
};

/// Up to how many bytes of a body it costs less to copy them than to hand two pieces to the kernel.
const COPIED: usize = 4_096;

/// What came.
enum Asked<P> {
    Poll {
        poll: Result<P, Response>,
        after: After,
    },
    Other(Protocol),
    /// Nothing more.
    End,
}

/// Serves a connection to its end. `Err` is of interest to nobody but who wonders about the client.
pub(crate) async fn serve<IO, A>(io: IO, server: Arc<Server<A>>, seat: Seat) -> io::Result<()>
where
    A: App,
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut stream = Stream::new(io);
    let app = &server.app;
    let (mut requested, mut is_requested) = (pin!(app.shutdown()), false);
    // May be asked again when it has come.
    let mut ending = pin!(poll_fn(|cx| {
        is_requested = is_requested || requested.as_mut().poll(cx).is_ready();
        if is_requested { Poll::Ready(()) } else { Poll::Pending }
    }));
    let mut alarm = Alarm::at(Instant::now() + HEAD_TIME);
    loop {
        let asked = poll_fn(|cx| next(&mut stream, app, seat.place, &mut alarm, ending.as_mut(), cx)).await?;
        let (poll, after) = match asked {
            Asked::Poll { poll, after } => (poll, after),
            // It takes far more than what is here, and mostly does not come to it.
            Asked::Other(protocol) => {
                return Box::pin(hyper_fallback::serve(stream, protocol, Arc::clone(&server), seat.place))
                    .await;
            }
            Asked::End => break,
        };
        let answer = match poll {
            Ok(poll) => {
                let hold = Hold::new(&mut alarm, ending.as_mut());
                let mut answer = pin!(app.answer_poll(poll, hold));
                let answered = poll_fn(|cx| match answer.as_mut().poll(cx) {
                    Poll::Ready(answer) => Poll::Ready(Some(answer)),
                    Poll::Pending => is_gone(&mut stream, cx).map(|()| None),
                });
                match answered.await {
                    Some(answer) => answer,
                    None => break,
                }
            }
            Err(response) => Answer::Response(response),
        };
        let after = if app.is_shutting_down() { After::Closes } else { after };
        let (mut head, body) = match answer {
            Answer::Written { head, body } => (head.end(body.len(), after), body),
            // It need not be fast.
            Answer::Response(response) => {
                (Box::pin(http1_response::write(response, after)).await, Bytes::new())
            }
        };
        if body.len() <= COPIED {
            head.extend_from_slice(&body);
            stream.write_all(&head).await?;
        } else {
            stream.write_all_buf(&mut head.as_slice().chain(body)).await?;
        }
        stream.flush().await?;
        if after == After::Closes {
            break;
        }
        // What came meanwhile may be the beginning of the next request.
        let time = if stream.early.is_empty() { IDLE_TIME } else { HEAD_TIME };
        alarm.set(Instant::now() + time);
    }
    stream.shutdown().await
}

/// What the client asks next.
fn next<IO: AsyncRead + AsyncWrite + Unpin, A: App>(
    stream: &mut Stream<IO>,
    app: &A,
    place: Place,
    alarm: &mut Alarm,
    ending: Pin<&mut impl Future<Output = ()>>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Asked<A::Poll>>> {
    // Sent together with the request before.
    if !stream.early.is_empty()
        && let Some(asked) = take(&mut stream.early, &[], app, place)
    {
        return Poll::Ready(Ok(asked));
    }
    loop {
        let is_begun = !stream.early.is_empty();
        let read = stream.poll_next(cx, |early, fresh| match fresh {
            [] => Some(Asked::End),
            fresh => take(early, fresh, app, place),
        });
        match read? {
            Poll::Ready(Some(asked)) => return Poll::Ready(Ok(asked)),
            Poll::Ready(None) if is_begun => {}
            Poll::Ready(None) => alarm.set(Instant::now() + HEAD_TIME),
            Poll::Pending => break,
        }
    }
    if ending.poll(cx).is_ready() {
        if stream.early.is_empty() {
            return Poll::Ready(Ok(Asked::End));
        }
        // A request that has begun is an open one, but need not end.
        alarm.hasten(Instant::now() + ENDING_TIME);
    }
    alarm.poll(cx).map(|()| Ok(Asked::End))
}

/// What is asked by what was read `early`, and what is `fresh`; what is not part of it is kept.
fn take<A: App>(early: &mut Vec<u8>, fresh: &[u8], app: &A, place: Place) -> Option<Asked<A::Poll>> {
    let is_fresh = early.is_empty();
    if !is_fresh {
        early.extend_from_slice(fresh);
    }
    let bytes = if is_fresh { fresh } else { early.as_slice() };
    let (asked, length) = match request_head::read(bytes, A::POLL_PATH, A::POLL_HEADERS) {
        Head::Plain(plain) if plain.length <= MAX_HEAD && place == Place::Regular => {
            let poll = app.read_poll(plain.query, &plain.headers);
            let after = if plain.closes { After::Closes } else { After::GoesOn };
            (Some(Asked::Poll { poll, after }), plain.length)
        }
        Head::Partial if bytes.len() <= MAX_HEAD => (None, 0),
        Head::Other(protocol) => (Some(Asked::Other(protocol)), 0),
        // Too long, or one too many: that is told by who reads everything.
        Head::Plain(_) | Head::Partial => (Some(Asked::Other(Protocol::Http1)), 0),
    };
    if is_fresh {
        early.extend_from_slice(fresh.get(length..).unwrap_or_default());
    } else {
        early.drain(..length);
    }
    if early.is_empty() {
        *early = Vec::new();
    }
    asked
}

/// Whether the client has gone while it was held. What it sends meanwhile is kept for later; who sends
/// more than fits is taken for gone.
fn is_gone<IO: AsyncRead + AsyncWrite + Unpin>(stream: &mut Stream<IO>, cx: &mut Context<'_>) -> Poll<()> {
    while stream.early.len() < MAX_HEAD {
        let keep = |early: &mut Vec<u8>, fresh: &[u8]| {
            early.extend_from_slice(fresh);
            !fresh.is_empty()
        };
        match stream.poll_next(cx, keep) {
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false) | Err(_)) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
    // Whether it is still there could not be seen any more.
    Poll::Ready(())
}
