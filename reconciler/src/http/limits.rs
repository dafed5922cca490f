//! Limits of requests. `REFERENCE.md` has these, and those of [`long_poll::limits`].

use std::time::Duration;

/// The body of a request, in bytes: of changes, and of notifications, where forges send a list of commits, which nobody
/// here reads.
pub(crate) const MAX_BODY: usize = 1 << 20;
/// The number of bodies that are read at once: a sender has proven nothing before the end of its body.
pub(crate) const MAX_BODIES: usize = 16;
/// The same of halts by who may halt, and of what replicas tell each other of halts: their senders have shown a token, and
/// strangers must not keep them out.
pub(crate) const MAX_HALT_BODIES: usize = 32;
/// The time for a whole body.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(20);
/// The number of streams of events that can be open at once.
pub(crate) const MAX_EVENT_STREAMS: usize = 256;
/// The number of answers that are made at once, of those that need time or memory; and of one client.
pub(crate) const MAX_MADE: usize = 4;
pub(crate) const MAX_MADE_PER_CLIENT: usize = 2;
/// When a client over a limit may come back, in seconds.
pub(crate) const RETRY_AFTER: &str = "5";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use long_poll::limits::*;

    use policies::wire::poll::MAX_QUERY_BYTES;

    use super::{
        BODY_TIME, MAX_BODIES, MAX_BODY, MAX_EVENT_STREAMS, MAX_HALT_BODIES, MAX_MADE, MAX_MADE_PER_CLIENT,
        RETRY_AFTER,
    };
    use crate::{
        reference,
        serving::scope_cache::MAX_SCOPES,
        writes::queue::{MAX_WAITING, MAX_WAITING_BYTES},
    };

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
            size(MAX_PLAIN_HEAD),
            count(MAX_HTTP2_CONNECTIONS),
            count(MAX_REQUESTS as usize),
            count(MAX_EXTRA_REQUESTS as usize),
            count(MAX_STREAMS as usize),
            count(CONTROL_FRAMES as usize),
            count(MAX_SCOPES),
            format!("{} and 100 fields", size(MAX_HEAD)),
            size(MAX_QUERY_BYTES),
            size(MAX_BODY),
            seconds(HEAD_TIME),
            seconds(BODY_TIME),
            count(MAX_BODIES),
            count(MAX_HALT_BODIES),
            count(MAX_WAITING),
            size(MAX_WAITING_BYTES as usize),
            seconds(HANDSHAKE_TIME),
            seconds(IDLE_TIME),
            seconds(STALL_TIME),
            size(MAX_UNSHARED as usize),
            format!("{}, at most {} of them for one client", count(MAX_MADE), count(MAX_MADE_PER_CLIENT)),
            seconds(UNACKNOWLEDGED_TIME),
            count(MAX_EVENT_STREAMS),
        ];
        let rows = reference::rows("Limits");
        let table: Vec<_> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(table, code);
        let retry = format!("503 with `Retry-After: {RETRY_AFTER}`");
        assert_eq!(rows.iter().filter(|row| row[2] == retry).count(), 5);
        let names = |text: String| rows.iter().any(|row| row[0].contains(&text));
        assert!(names(format!("takes {} more", size(REQUEST_BYTES as usize))));
        assert!(names(format!("{} more each second", 1_000 / CONTROL_FRAMES_REFILL.as_millis())));
        assert!(names(format!("each {SENT_PER_CONTROL_FRAME} bytes")));
    }
}
