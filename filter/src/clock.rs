//! Monotonic time, for delays and timeouts, and its relation to the time of day, for the ends of rules.

use std::{ops::Add, time::Duration};

use policies::Timestamp;
use serde::{Deserialize, Serialize};

/// Instant of the host's monotonic clock, which is the same in all VMs of a proxy. On this target
/// `std::time::Instant` has no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instant(Duration);

impl Instant {
    /// Instant that never comes.
    pub const NEVER: Self = Self(Duration::MAX);

    /// Instant at this distance from the clock's origin.
    pub const fn from_origin(since: Duration) -> Self {
        Self(since)
    }

    /// Time since `earlier`; zero if that is in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// Time of day, as it was read at one instant.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    read_at: Instant,
    time: Timestamp,
}

impl Default for WallClock {
    fn default() -> Self {
        Self::read(Instant::default(), Timestamp::from_millis(0))
    }
}

impl WallClock {
    /// Clock that showed this time at this instant.
    pub const fn read(read_at: Instant, time: Timestamp) -> Self {
        Self { read_at, time }
    }

    /// Time of day at a later instant.
    pub fn time(self, at: Instant) -> Timestamp {
        let since = u64::try_from(at.since(self.read_at).as_millis()).unwrap_or(u64::MAX);
        self.time.plus_millis(since)
    }

    /// Instant at which something ends that ends at this time of day, or never.
    pub fn end(self, ends_at: Option<Timestamp>) -> Instant {
        ends_at
            .map_or(Instant::NEVER, |end| self.read_at + Duration::from_millis(end.millis_since(self.time)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use policies::Timestamp;

    use super::{Instant, WallClock};

    #[test]
    fn an_end_by_the_time_of_day_comes_at_an_instant() {
        let at = |millis| Instant::from_origin(Duration::from_millis(millis));
        let time = Timestamp::from_millis;
        let clock = WallClock::read(at(500), time(1_000_000));
        assert_eq!(clock.end(Some(time(1_000_250))), at(750));
        assert_eq!(clock.end(Some(time(999_000))), at(500), "what is over ended when the clock was read");
        assert_eq!(clock.end(None), Instant::NEVER);
        assert_eq!(clock.end(Some(time(u64::MAX))).since(at(0)).as_secs() / 1_000_000_000_000, 18_446);
        assert_eq!(clock.time(at(750)), time(1_000_250));
    }
}
