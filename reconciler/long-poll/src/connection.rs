//! One connection: plain polls, answered one after the other. Any other request goes to hyper, which gives
//! the connection back after its answer.

#[cfg(test)]
mod tests;

use std::{
    future::{poll_fn, ready},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use axum::response::Response;
use bytes::{Buf as _, Bytes};
use futures_util::future::Either;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    task::yield_now,
    time::Instant,
};

use crate::{
    app::App,
    connection_limit::{Peer, Permit, Slot},
    deadline::Deadline,
    hold::Hold,
    http1_response::{self, Answer, Connection},
    hyper_fallback,
    limits::{ENDING_TIME, HEAD_TIME, MAX_PLAIN_HEAD},
    request_head::{self, Head, Protocol},
    server::Server,
    stream::{Stream, Transport},
};

/// A body up to this size is copied behind its head: that is cheaper than two pieces for the kernel.
const COPIED: usize = 4_096;

/// A request, or the end.
enum Received<P> {
    Poll(Asked<P>),
    Other(Protocol),
    /// The client sends no more, or its time is over.
    End,
}

/// A poll that has been read, or the answer to one that cannot be read.
struct Asked<P> {
    poll: Result<P, Box<Response>>,
    after: Connection,
}

/// Serves a connection to its end. An error says how the client left.
///
/// Thousands of these futures wait at once, so each is kept small: it captures its arguments instead of
/// moving them, and takes no part out of a value that is kept while something is awaited.
pub(crate) fn serve<IO, A>(
    io: IO,
    server: Arc<Server<A>>,
    permit: Permit,
) -> impl Future<Output = io::Result<()>> + Send
where
    A: App,
    IO: Transport + AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut stream = Stream::new(io);
    async move {
        // As a whole: a field alone would be captured without the rest, which frees the place.
        let permit = &permit;
        let app = &server.app;
        let (mut requested, mut is_requested) = (pin!(app.shutdown()), false);
        // It may be polled again after its end.
        let mut ending = pin!(poll_fn(|cx| {
            is_requested = is_requested || requested.as_mut().poll(cx).is_ready();
            if is_requested { Poll::Ready(()) } else { Poll::Pending }
        }));
        let mut deadline = Deadline::at(Instant::now() + HEAD_TIME);
        let mut is_awaited = true;
        loop {
            // The last request was here before its turn: the next one may be too, and others have theirs first.
            if !is_awaited {
                yield_now().await;
            }
            is_awaited = false;
            let received = poll_fn(|cx| {
                let received = next(&mut stream, app, permit.peer(), &mut deadline, ending.as_mut(), cx);
                is_awaited |= received.is_pending();
                received
            });
            let asked = match received.await? {
                Received::Poll(asked) => asked,
                // On the heap: it needs far more memory than a poll, and few connections need it.
                Received::Other(protocol) => {
                    let fallback =
                        hyper_fallback::serve(stream, protocol, Arc::clone(&server), permit.peer());
                    match Box::pin(fallback).await? {
                        Some(returned) => stream = returned,
                        None => return Ok(()),
                    }
                    deadline.set(Instant::now() + stream.time_to_next_head());
                    continue;
                }
                Received::End => break,
            };
            let after = asked.after;
            let answer = {
                let hold = Hold::new(&mut deadline, ending.as_mut());
                let mut answer = pin!(answer(app, asked, hold));
                poll_fn(|cx| match answer.as_mut().poll(cx) {
                    Poll::Ready(answer) => Poll::Ready(Some(answer)),
                    Poll::Pending => is_gone(&mut stream, cx).map(|()| None),
                })
                .await
            };
            let after = if app.is_shutting_down() { Connection::Close } else { after };
            let (mut head, body) = match answer {
                Some(Answer::Written { head, body }) => (head.end(body.len(), after), body),
                // It need not be fast.
                Some(Answer::Response(response)) => {
                    (Box::pin(http1_response::write(response, after)).await, Bytes::new())
                }
                None => break,
            };
            if body.len() <= COPIED {
                head.extend_from_slice(&body);
                stream.write_all(&head).await?;
            } else {
                stream.write_all_buf(&mut head.as_slice().chain(body)).await?;
            }
            stream.flush().await?;
            if after == Connection::Close {
                break;
            }
            deadline.set(Instant::now() + stream.time_to_next_head());
        }
        if stream.is_ended && !IO::ENDS_WITH_A_MESSAGE { Ok(()) } else { stream.shutdown().await }
    }
}

/// Answers a poll, unless it is answered already.
fn answer<A: App>(app: &A, asked: Asked<A::Poll>, hold: Hold<'_>) -> impl Future<Output = Answer> + Send {
    match asked.poll {
        Ok(poll) => Either::Left(app.answer_poll(poll, hold)),
        Err(response) => Either::Right(ready(Answer::Response(*response))),
    }
}

/// Reads the next request.
fn next<IO: AsyncRead + AsyncWrite + Unpin, A: App>(
    stream: &mut Stream<IO>,
    app: &A,
    peer: Peer,
    deadline: &mut Deadline,
    ending: Pin<&mut impl Future<Output = ()>>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Received<A::Poll>>> {
    // Sent together with the request before it.
    if !stream.read_ahead.is_empty()
        && let Some(received) = take(&mut stream.read_ahead, &[], app, peer)
    {
        return Poll::Ready(Ok(received));
    }
    loop {
        let is_begun = !stream.read_ahead.is_empty();
        let read = stream.poll_next(cx, |read_ahead, fresh| match fresh {
            [] => Some(Received::End),
            fresh => take(read_ahead, fresh, app, peer),
        });
        match read? {
            Poll::Ready(Some(received)) => return Poll::Ready(Ok(received)),
            Poll::Ready(None) if is_begun => {}
            Poll::Ready(None) => deadline.set(Instant::now() + HEAD_TIME),
            Poll::Pending => break,
        }
    }
    if ending.poll(cx).is_ready() {
        if stream.read_ahead.is_empty() {
            return Poll::Ready(Ok(Received::End));
        }
        // A request that has begun may still be completed, for a short time.
        deadline.hasten(Instant::now() + ENDING_TIME);
    }
    deadline.poll(cx).map(|()| Ok(Received::End))
}

/// Reads the request that the bytes begin with, first those read ahead, then the fresh ones. The rest is
/// kept.
fn take<A: App>(read_ahead: &mut Vec<u8>, fresh: &[u8], app: &A, peer: Peer) -> Option<Received<A::Poll>> {
    let is_fresh = read_ahead.is_empty();
    if !is_fresh {
        read_ahead.extend_from_slice(fresh);
    }
    let bytes = if is_fresh { fresh } else { read_ahead.as_slice() };
    let (received, length) = match request_head::read(bytes, A::POLL_PATH, A::POLL_HEADERS) {
        Head::Plain(plain) if plain.length <= MAX_PLAIN_HEAD && peer.slot == Slot::Regular => {
            let poll = app.read_poll(plain.query, &plain.headers, peer.client);
            let after = if plain.closes { Connection::Close } else { Connection::KeepAlive };
            (Some(Received::Poll(Asked { poll, after })), plain.length)
        }
        Head::Partial if bytes.len() <= MAX_PLAIN_HEAD => (None, 0),
        Head::Other(protocol) => (Some(Received::Other(protocol)), 0),
        // Long, or above the limit of connections: hyper answers that.
        Head::Plain(_) | Head::Partial => (Some(Received::Other(Protocol::Http1)), 0),
    };
    if is_fresh {
        read_ahead.extend_from_slice(fresh.get(length..).unwrap_or_default());
    } else {
        read_ahead.drain(..length);
    }
    if read_ahead.is_empty() {
        *read_ahead = Vec::new();
    }
    received
}

/// Ends when the client has gone while its poll was held. Bytes that it sends meanwhile are kept; a client
/// that sends too many counts as gone.
fn is_gone<IO: AsyncRead + AsyncWrite + Unpin>(stream: &mut Stream<IO>, cx: &mut Context<'_>) -> Poll<()> {
    while stream.read_ahead.len() < MAX_PLAIN_HEAD {
        let keep = |read_ahead: &mut Vec<u8>, fresh: &[u8]| {
            read_ahead.extend_from_slice(fresh);
            !fresh.is_empty()
        };
        match stream.poll_next(cx, keep) {
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false) | Err(_)) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
    // Its end could not be noticed any more.
    Poll::Ready(())
}
