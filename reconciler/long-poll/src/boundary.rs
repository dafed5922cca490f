//! The boundary between two requests over HTTP/1.1.
//!
//! A connection may be taken back from `hyper` only there: when the request has been read to its end, and
//! its answer has been written and flushed. Elsewhere the rest of a body could pass for a request, or a part
//! of an answer could be lost.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use hyper::{
    Error,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
};

/// The state of the newest request over a connection.
#[derive(Debug, Default)]
pub(crate) struct Boundary {
    /// The request has been read to its end. A body that nobody reads is left to `hyper`.
    is_read: AtomicBool,
    /// Nothing has been written since the last flush.
    is_flushed: AtomicBool,
}

impl Boundary {
    /// Begins a request; the body that it returns notices its own end.
    pub(crate) fn begin(self: Arc<Self>, body: Incoming) -> RequestBody {
        self.is_flushed.store(false, Ordering::Relaxed);
        self.is_read.store(body.is_end_stream(), Ordering::Relaxed);
        RequestBody { body, boundary: self }
    }

    /// Notes that bytes will follow, or that the connection is being closed.
    pub(crate) fn unflushed(&self) {
        self.is_flushed.store(false, Ordering::Relaxed);
    }

    pub(crate) fn flushed(&self) {
        self.is_flushed.store(true, Ordering::Relaxed);
    }

    /// Tells whether the newest request is over. Only true between two requests if none is open.
    pub(crate) fn is_reached(&self) -> bool {
        self.is_read.load(Ordering::Relaxed) && self.is_flushed.load(Ordering::Relaxed)
    }
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct RequestBody {
    body: Incoming,
    boundary: Arc<Boundary>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let is_end = match &frame {
            None => true,
            Some(Ok(_)) => self.body.is_end_stream(),
            Some(Err(_)) => false,
        };
        if is_end {
            self.boundary.is_read.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
