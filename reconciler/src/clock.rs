//! The wall clock.

use std::time::SystemTime;

use policies::Timestamp;

/// The time of the wall clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The seconds since then, to the millisecond.
pub(crate) fn seconds_since(then: Timestamp) -> f64 {
    now().millis_since(then) as f64 / 1_000.0
}
