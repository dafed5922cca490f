//! The bytes of a connection, bounded in time.

use std::{
    io::{self, ErrorKind, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use crate::{
    boundary::Boundary,
    limits::{HEAD_TIME, IDLE_TIME, LINGER_BYTES, LINGER_TIME, STALL_TIME},
};

/// The size of one read, into memory that is not kept.
pub(crate) const CHUNK: usize = 4_096;

/// TCP, or TLS over it.
pub(crate) trait Transport {
    /// Each side tells the other of its end with a message, as TLS demands (RFC 8446, section 6.1). Without one, a
    /// connection whose client has closed its side is dropped: a call to the kernel less for each of thousands.
    const ENDS_WITH_A_MESSAGE: bool;
}

impl Transport for TcpStream {
    const ENDS_WITH_A_MESSAGE: bool = false;
}

/// A connection that returns the bytes that were read ahead, fails when the client reads nothing for too
/// long, and closes so that the client gets the last answer.
#[derive(Debug)]
pub(crate) struct Stream<IO> {
    io: IO,
    /// Bytes of requests to come.
    pub(crate) read_ahead: Vec<u8>,
    /// The client has closed its side.
    pub(crate) is_ended: bool,
    /// The end of the client's time to read, while it reads nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Set once our side is closed.
    linger: Option<Linger>,
    /// Told of writes, while `hyper` serves the connection.
    boundary: Option<Arc<Boundary>>,
}

/// The wait for the client to close its side.
#[derive(Debug)]
struct Linger {
    left: usize,
    over: Pin<Box<Sleep>>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Stream<IO> {
    /// Tells `boundary` of writes and flushes from now on.
    pub(crate) fn watched_by(mut self, boundary: Arc<Boundary>) -> Self {
        self.boundary = Some(boundary);
        self
    }

    /// Puts back bytes that were read from this stream, before those read ahead.
    pub(crate) fn with_unread(mut self, bytes: &[u8]) -> Self {
        self.boundary = None;
        self.read_ahead.splice(..0, bytes.iter().copied());
        self
    }

    pub(crate) fn new(io: IO) -> Self {
        Self { io, read_ahead: Vec::new(), is_ended: false, stalled: None, linger: None, boundary: None }
    }

    /// The time for the next request. If some of it is here already, there is no pause before it.
    pub(crate) fn time_to_next_head(&self) -> Duration {
        if self.read_ahead.is_empty() { IDLE_TIME } else { HEAD_TIME }
    }

    /// Reads from the client, past the bytes read ahead, and hands the new ones to `take`; none at the end.
    pub(crate) fn poll_next<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&mut Vec<u8>, &[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        let mut space = [const { MaybeUninit::uninit() }; CHUNK];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
        self.is_ended = read.filled().is_empty();
        Poll::Ready(Ok(take(&mut self.read_ahead, read.filled())))
    }

    fn is_flushed(&self, is_flushed: bool) {
        match &self.boundary {
            Some(boundary) if is_flushed => boundary.flushed(),
            Some(boundary) => boundary.unflushed(),
            None => {}
        }
    }

    /// The outcome of a write, which fails when the client has read nothing for too long.
    fn written<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL_TIME)));
        stalled.as_mut().poll(cx).map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Stream<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_ahead.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, to);
        }
        let length = to.remaining().min(self.read_ahead.len());
        to.put_slice(self.read_ahead.drain(..length).as_slice());
        if self.read_ahead.is_empty() {
            self.read_ahead = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.is_flushed(false);
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.is_flushed(false);
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        self.is_flushed(matches!(outcome, Poll::Ready(Ok(()))));
        self.written(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // It is not taken back any more.
        this.is_flushed(false);
        if this.linger.is_none() {
            let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
            ready!(this.written(cx, outcome))?;
        }
        // Nothing that it has sent is unread.
        if this.is_ended {
            return Poll::Ready(Ok(()));
        }
        let linger = this
            .linger
            .get_or_insert_with(|| Linger { left: LINGER_BYTES, over: Box::pin(sleep(LINGER_TIME)) });
        while linger.left > 0 {
            let mut space = [const { MaybeUninit::uninit() }; CHUNK];
            let mut read = ReadBuf::uninit(&mut space);
            match Pin::new(&mut this.io).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    linger.left = linger.left.saturating_sub(read.filled().len());
                }
                Poll::Ready(_) => break,
                Poll::Pending => return linger.over.as_mut().poll(cx).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}
