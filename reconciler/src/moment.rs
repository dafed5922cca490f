//! Times and revisions, short enough for a table.

use policies::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A time as seen from now: `in 5m`, `3h ago`.
pub(crate) fn relative(time: Timestamp, now: Timestamp) -> String {
    if time > now {
        format!("in {}", length(time.millis_since(now)))
    } else {
        format!("{} ago", length(now.millis_since(time)))
    }
}

/// The time of the day, in UTC.
pub(crate) fn clock(time: Timestamp) -> String {
    let text = time.to_rfc3339();
    let (_, clock) = text.split_once('T').unwrap_or(("", &text));
    format!("{} UTC", clock.get(..8).unwrap_or(clock))
}

/// A length of time in its two largest units, as kubectl has them; rounded up, so that none is zero.
fn length(millis: u64) -> String {
    let seconds = millis.div_ceil(1_000);
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match seconds % large / small {
        0 => format!("{}{large_unit}", seconds / large),
        rest => format!("{}{large_unit}{rest}{small_unit}", seconds / large),
    };
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR if seconds >= 10 * MINUTE => format!("{}m", seconds / MINUTE),
        MINUTE..HOUR => two(MINUTE, "m", 1, "s"),
        HOUR..DAY => two(HOUR, "h", MINUTE, "m"),
        _ => two(DAY, "d", HOUR, "h"),
    }
}

/// A revision with the first twelve digits of its commit.
pub(crate) fn short_revision(revision: &str) -> &str {
    let end = revision.rfind(':').map_or(0, |at| at + 1) + 12;
    revision.get(..end).unwrap_or(revision)
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;
    use proptest::prelude::*;

    use super::{clock, relative, short_revision};

    #[test]
    fn a_time_is_told_in_two_units() {
        let now = Timestamp::from_millis(10 * 86_400_000);
        for (seconds, told) in [
            (1, "in 1s"),
            (59, "in 59s"),
            (60, "in 1m"),
            (90, "in 1m30s"),
            (25 * 60 + 3, "in 25m"),
            (3_600, "in 1h"),
            (3 * 3_600 + 120, "in 3h2m"),
            (2 * 86_400 + 3_600, "in 2d1h"),
            (0, "0s ago"),
            (-5, "5s ago"),
            (-7_200, "2h ago"),
        ] {
            let then = now.millis_since(Timestamp::from_millis(0)) as i64 + seconds * 1_000;
            assert_eq!(relative(Timestamp::from_millis(then as u64), now), told);
        }
    }

    #[test]
    fn the_time_of_the_day_is_told_to_the_second() {
        assert_eq!(clock(Timestamp::parse("2026-11-28T12:03:04.5Z").unwrap()), "12:03:04 UTC");
    }

    #[test]
    fn a_commit_is_known_by_twelve_digits() {
        let commit = "4f1d".repeat(10);
        assert_eq!(short_revision(&format!("main@sha1:{commit}")), "main@sha1:4f1d4f1d4f1d");
        assert_eq!(short_revision("main@sha1:4f1d"), "main@sha1:4f1d");
    }

    proptest! {
        #[test]
        fn any_revision_is_shortened(revision: String) {
            prop_assert!(revision.starts_with(short_revision(&revision)));
        }
    }
}
