//! The bytes of a connection, bounded in time.

use std::{
    io::{self, ErrorKind, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::limits::{LINGER_BYTES, LINGER_TIME, STALL_TIME};

/// How much is read at once into memory that is not kept.
pub(crate) const CHUNK: usize = 4_096;

/// A connection that gives back what was read too early, that fails when the client takes nothing for
/// too long, and that ends so that the client gets the last answer.
#[derive(Debug)]
pub(crate) struct Stream<IO> {
    io: IO,
    /// Read already and not taken yet.
    pub(crate) early: Vec<u8>,
    /// Until when the client must take something; only while it takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Only once it is closed from our side.
    linger: Option<Linger>,
}

/// Waits for the client to close as well.
#[derive(Debug)]
struct Linger {
    left: usize,
    over: Pin<Box<Sleep>>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Stream<IO> {
    pub(crate) fn new(io: IO) -> Self {
        Self { io, early: Vec::new(), stalled: None, linger: None }
    }

    /// Reads what there is, whatever was read before, and hands it to `take`: nothing at the end.
    pub(crate) fn poll_next<T>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&mut Vec<u8>, &[u8]) -> T,
    ) -> Poll<io::Result<T>> {
        let mut space = [const { MaybeUninit::uninit() }; CHUNK];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(take(&mut self.early, read.filled())))
    }

    /// What a write came to: it fails in the end if it can never be done.
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
        if self.early.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, to);
        }
        let length = to.remaining().min(self.early.len());
        to.put_slice(self.early.drain(..length).as_slice());
        if self.early.is_empty() {
            self.early = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        self.written(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
            ready!(this.written(cx, outcome))?;
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
