//! Bounds the frames of HTTP/2 that ask for work and bring nothing.
//!
//! `h2` bounds CONTINUATION frames, small DATA frames and streams that are reset before they are looked at. It
//! answers each PING and SETTINGS frame and reads each PRIORITY, RST_STREAM and WINDOW_UPDATE frame, however
//! many come.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::limits::{CONTROL_FRAMES, CONTROL_FRAMES_REFILL, SENT_PER_CONTROL_FRAME};

/// The length of what a connection begins with (RFC 9113, section 3.4).
const PREFACE: usize = 24;
/// The length of the head of a frame.
const HEAD: usize = 9;
/// The types of frames that bring something: DATA and HEADERS.
const USEFUL: [u8; 2] = [0x0, 0x1];

/// A connection of HTTP/2 that ends when too many control frames are read.
#[derive(Debug)]
pub(crate) struct ControlFrames<IO> {
    io: IO,
    frames: Frames,
    /// The control frames that may still come.
    allowance: u32,
    /// When some were last added to them.
    refilled: Instant,
    /// Bytes sent that no control frame was allowed for yet.
    sent: usize,
}

/// Follows the frames in the bytes of a connection.
#[derive(Debug)]
struct Frames {
    /// The bytes until the next head.
    skip: usize,
    /// The beginning of a head.
    head: [u8; HEAD],
    read: usize,
}

impl Frames {
    fn new() -> Self {
        Self { skip: PREFACE, head: [0; HEAD], read: 0 }
    }

    /// The number of control frames that begin in these bytes.
    fn count(&mut self, mut bytes: &[u8]) -> u32 {
        let mut found = 0;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            let (head, rest) = bytes.split_at(bytes.len().min(HEAD - self.read));
            for (to, from) in self.head.iter_mut().skip(self.read).zip(head) {
                *to = *from;
            }
            (self.read, bytes) = (self.read + head.len(), rest);
            if self.read == HEAD {
                let [high, middle, low, kind, ..] = self.head;
                (self.skip, self.read) = (u32::from_be_bytes([0, high, middle, low]) as usize, 0);
                found += u32::from(!USEFUL.contains(&kind));
            }
        }
        found
    }
}

impl<IO> ControlFrames<IO> {
    pub(crate) fn new(io: IO) -> Self {
        Self { io, frames: Frames::new(), allowance: CONTROL_FRAMES, refilled: Instant::now(), sent: 0 }
    }

    /// Counts what was read; an error if it is too much.
    fn received(&mut self, bytes: &[u8]) -> io::Result<()> {
        let frames = self.frames.count(bytes);
        if frames > self.allowance {
            self.refill();
        }
        self.allowance = self
            .allowance
            .checked_sub(frames)
            .ok_or_else(|| io::Error::other("the client sends too many control frames"))?;
        Ok(())
    }

    fn refill(&mut self) {
        let per_frame = CONTROL_FRAMES_REFILL.as_micros().max(1);
        let more = self.refilled.elapsed().as_micros() / per_frame;
        if let Ok(more) = u32::try_from(more)
            && more > 0
        {
            self.refilled = Instant::now();
            self.allowance = self.allowance.max(self.allowance.saturating_add(more).min(CONTROL_FRAMES));
        }
    }

    /// A client opens the window again for what it has got.
    fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes);
        let more = self.sent / SENT_PER_CONTROL_FRAME;
        self.sent %= SENT_PER_CONTROL_FRAME;
        self.allowance = self.allowance.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for ControlFrames<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, to))?;
        Poll::Ready(self.received(to.filled().get(before..).unwrap_or_default()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for ControlFrames<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bytes))?;
        self.sent(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::time::advance;

    use super::{CONTROL_FRAMES, CONTROL_FRAMES_REFILL, ControlFrames, Frames, HEAD, PREFACE};

    /// A frame with a payload of zeros.
    fn frame(kind: u8, length: u16) -> Vec<u8> {
        let [high, low] = length.to_be_bytes();
        [&[0, high, low, kind, 0, 0, 0, 0, 1][..], &vec![0; length.into()]].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn control_frames_are_bounded_in_time() {
        let (ping, mut connection) = (frame(0x6, 8), ControlFrames::new(()));
        connection.received(&[b'x'; PREFACE]).unwrap();
        for _ in 0..CONTROL_FRAMES {
            connection.received(&ping).unwrap();
            // What brings something is not counted.
            connection.received(&[frame(0x0, 100), frame(0x1, 40)].concat()).unwrap();
        }
        advance(2 * CONTROL_FRAMES_REFILL).await;
        for _ in 0..2 {
            connection.received(&ping).unwrap();
        }
        assert!(connection.received(&ping).is_err());
        advance(Duration::from_secs(3_600)).await;
        assert!(connection.received(&ping.repeat(CONTROL_FRAMES as usize + 1)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_what_is_sent_may_say_so() {
        let (update, mut connection) = (frame(0x8, 4), ControlFrames::new(()));
        connection.received(&[b'x'; PREFACE]).unwrap();
        for _ in 0..100_000 {
            connection.sent(1_024);
            connection.received(&update.repeat(2)).unwrap();
        }
        let mut bytes = 0;
        while connection.received(&update).is_ok() {
            connection.sent(1);
            bytes += 1;
            assert!(bytes < 2 * CONTROL_FRAMES, "a window that opens byte by byte is no flood");
        }
    }

    proptest! {
        #[test]
        fn frames_are_counted_the_same_however_they_arrive(
            frames in prop::collection::vec((0..12u8, 0..300u16), 0..20),
            size in 1..400usize,
        ) {
            let bytes: Vec<_> = frames.iter().flat_map(|(kind, length)| frame(*kind, *length)).collect();
            let bytes = [&[b'x'; PREFACE][..], &bytes].concat();
            let mut counter = Frames::new();
            let found: u32 = bytes.chunks(size).map(|piece| counter.count(piece)).sum();
            prop_assert_eq!(found as usize, frames.iter().filter(|(kind, _)| *kind > 1).count());
            prop_assert_eq!((counter.skip, counter.read), (0, 0));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let found = Frames::new().count(&bytes) as usize;
            prop_assert!(found <= bytes.len() / HEAD);
        }
    }
}
