//! Limits for a client: of memory, of files and of time.

use std::time::Duration;

/// The head of a request, in bytes.
pub const MAX_HEAD: usize = 16 * 1024;
/// The head of a plain poll, and the bytes that may follow while it is held. The memory of a longer request is
/// counted: it goes to hyper.
pub const MAX_PLAIN_HEAD: usize = 4 * 1024;
/// From the beginning of a connection to the first byte, and from the first byte of a request over HTTP/1.1
/// to the end of its head. After a request whose body nobody read, it is also the time to the next head.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// To the end of a head that has begun when the request to end comes: well within what open requests get.
pub const ENDING_TIME: Duration = Duration::from_secs(2);
/// For the handshake of TLS.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Between two requests. Longer than the half minute that a filter waits at most before it tries again,
/// and than most intervals at which metrics are scraped.
pub const IDLE_TIME: Duration = Duration::from_secs(75);
/// For how long a client may take nothing of its answer.
pub const STALL_TIME: Duration = Duration::from_secs(20);
/// From a request to the last byte of an answer that is marked as bounded.
pub const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The time that a client gets to close after us, and the bytes that it may still send, which are
/// thrown away meanwhile: a connection that is dropped while something is unread takes the last answer
/// with it.
pub const LINGER_TIME: Duration = Duration::from_secs(1);
pub const LINGER_BYTES: usize = 256 * 1024;
/// The bytes of an answer that may lie in the kernel before they are sent: the kernel's own bound, which
/// grows to megabytes, would be the price of every slow reader.
pub const UNSENT_BYTES: u32 = 32 * 1024;
/// The bytes of TLS that may lie here before the kernel takes them.
pub const UNSENT_TLS_BYTES: usize = 4 * 1024;
/// The bytes that may lie here of one answer over HTTP/2, before the client opens a window for them.
pub const UNSENT_STREAM_BYTES: usize = 16 * 1024;
/// The silence of a peer after which it is asked for a sign of life, and the time until it is asked again.
pub const PROBE_AFTER: Duration = Duration::from_secs(60);
pub const PROBE_INTERVAL: Duration = Duration::from_secs(15);
/// For how long a peer may leave unacknowledged what was sent to it, and be silent.
pub const UNACKNOWLEDGED_TIME: Duration = Duration::from_secs(120);
/// The bytes of a request's body that may lie here unread, over HTTP/2.
pub const BODY_WINDOW: u32 = 64 * 1024;
/// Requests at once over one connection of HTTP/2.
pub const MAX_STREAMS: u32 = 256;
/// Requests at once over all connections but those of plain polls: HTTP/2 makes many out of one.
pub const MAX_REQUESTS: u32 = 32_768;
/// Requests at once beyond a limit that still get what small answer there is: probes, and those that are refused.
pub const MAX_EXTRA_REQUESTS: u32 = 256;
/// Bodies of answers that were made for one request and are not sent yet, in bytes; those of snapshots
/// and modules are shared. A request over HTTP/1.1 takes [`REQUEST_BYTES`] more.
pub const MAX_UNSHARED: u32 = 64 << 20;
/// The memory for a request over HTTP/1.1 that is not a plain poll, its answer apart: buffers of bytes that
/// were read ahead, and of TLS.
pub const REQUEST_BYTES: u32 = 16 * 1024;
/// The bytes that are read ahead of such a request if there is no memory for it: the least that hyper takes.
pub const UNCOUNTED_BYTES: usize = 8 * 1024;
/// Control frames of HTTP/2 that a client may send at once, and the time until it may send one more. For
/// so many bytes that it is sent it may send one more as well.
pub const CONTROL_FRAMES: u32 = 1_000;
pub const CONTROL_FRAMES_REFILL: Duration = Duration::from_millis(10);
pub const SENT_PER_CONTROL_FRAME: usize = 512;
/// Connections of HTTP/2 at once: one takes 30 KiB, ten times as much as a plain poll.
pub const MAX_HTTP2_CONNECTIONS: usize = 10_240;
/// Connections at once, where as many files may be open.
pub const MAX_CONNECTIONS: usize = 32_768;
/// The part of the open files that connections leave to Git, and to new work; at most half.
pub const RESERVED_FILES: usize = 1_024;
/// Connections beyond the limit, which get one answer: probes must not fail because filters are many.
pub const MAX_EXTRA: usize = 128;
/// The time that such a connection may take.
pub const EXTRA_TIME: Duration = Duration::from_secs(5);
