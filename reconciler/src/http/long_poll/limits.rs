//! What a client may take: of memory, of files and of time. `REFERENCE.md` has all of these.

use std::time::Duration;

/// The head of a request, in bytes.
pub(crate) const MAX_HEAD: usize = 16 * 1024;
/// The body of a request, in bytes. Only notifications have one; forges send a list of commits, which
/// nobody here reads.
pub(crate) const MAX_BODY: usize = 1 << 20;
/// From the beginning of a connection to the first byte, and from that, or from the first byte of a
/// further plain poll, to the end of the head. Once something else was asked over HTTP/1.1, there is
/// [`IDLE_TIME`] for all of a further head.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(10);
/// To the end of a head that has begun when the wish to end comes: well within what open requests get.
pub(crate) const ENDING_TIME: Duration = Duration::from_secs(2);
/// For the handshake of TLS.
pub(crate) const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Between two requests. Longer than the half minute that a filter waits at most before it tries again,
/// and than most intervals at which metrics are scraped.
pub(crate) const IDLE_TIME: Duration = Duration::from_secs(75);
/// For how long a client may take nothing of its answer.
pub(crate) const STALL_TIME: Duration = Duration::from_secs(20);
/// How long a client that we have closed gets to close as well, and how much of what it still sends is
/// thrown away meanwhile: a connection that is dropped while something is unread takes the last answer
/// with it.
pub(crate) const LINGER_TIME: Duration = Duration::from_secs(1);
pub(crate) const LINGER_BYTES: usize = 256 * 1024;
/// What of an answer lies in the kernel before it is sent, in bytes: the kernel's own bound, which
/// grows to megabytes, would be the price of every slow reader.
pub(crate) const UNSENT_BYTES: u32 = 128 * 1024;
/// How long a peer is silent before it is asked for a sign of life, and how far apart it is asked again.
pub(crate) const PROBE_AFTER: Duration = Duration::from_secs(60);
pub(crate) const PROBE_INTERVAL: Duration = Duration::from_secs(15);
/// For how long a peer may leave unacknowledged what was sent to it, and be silent.
pub(crate) const UNACKNOWLEDGED_TIME: Duration = Duration::from_secs(120);
/// Requests at once over one connection of HTTP/2.
pub(crate) const MAX_STREAMS: u32 = 256;
/// Requests at once over all connections but those of plain polls: HTTP/2 makes many out of one.
pub(crate) const MAX_REQUESTS: usize = 32_768;
/// Bodies of answers that were made for one request and are not sent yet, in bytes; those of snapshots
/// and modules are shared.
pub(crate) const MAX_UNSHARED: u32 = 64 << 20;
/// Connections at once, where as many files may be open.
pub(crate) const MAX_CONNECTIONS: usize = 32_768;
/// The part of the open files that connections leave to Git, and to new work; at most half.
pub(crate) const RESERVED_FILES: usize = 1_024;
/// Connections beyond the limit, which get one answer: probes must not fail because filters are many.
pub(crate) const MAX_EXTRA: usize = 128;
/// How long such a one may take.
pub(crate) const EXTRA_TIME: Duration = Duration::from_secs(5);
/// When who is turned away may come back, in seconds.
pub(crate) const RETRY_AFTER: &str = "5";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::routes::{events, hooks, snapshot};
    use crate::{reference, serving::scope_cache::MAX_SCOPES};

    /// A number as the reference writes it, with commas.
    fn count(number: usize) -> String {
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        groups.map(|group| str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(",")
    }

    fn size(bytes: usize) -> String {
        if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
    }

    fn seconds(time: Duration) -> String {
        format!("{} s", time.as_secs())
    }

    /// The limits of the code and of the reference are the same, in the same order.
    #[test]
    fn the_reference_has_every_limit_with_its_value() {
        let code = [
            count(MAX_CONNECTIONS),
            format!("{}, for {} each", count(MAX_EXTRA), seconds(EXTRA_TIME)),
            format!("{}, at most half", count(RESERVED_FILES + MAX_EXTRA)),
            size(MAX_HEAD),
            count(MAX_REQUESTS),
            count(MAX_STREAMS as usize),
            count(MAX_SCOPES),
            format!("{} and 100 fields", size(MAX_HEAD)),
            size(snapshot::MAX_QUERY),
            size(MAX_BODY),
            seconds(HEAD_TIME),
            seconds(IDLE_TIME),
            seconds(hooks::BODY_TIME),
            count(hooks::MAX_BODIES),
            seconds(HANDSHAKE_TIME),
            seconds(IDLE_TIME),
            seconds(STALL_TIME),
            size(MAX_UNSHARED as usize),
            seconds(UNACKNOWLEDGED_TIME),
            count(events::MAX_STREAMS),
        ];
        let rows = reference::rows("Limits");
        let table: Vec<_> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(table, code);
        let retry = format!("503 with `Retry-After: {RETRY_AFTER}`");
        assert_eq!(rows.iter().filter(|row| row[2] == retry).count(), 3);
    }
}
