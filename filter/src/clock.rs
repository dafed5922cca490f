//! Time that only goes forward, for waiting; when a rule ends is a matter of the wall clock instead.

use std::{ops::Add, time::Duration};

/// An instant of the host's monotonic clock. `std::time::Instant` has none to read in a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// The instant so long after the clock's own beginning.
    pub const fn from_origin(since: Duration) -> Self {
        Self(since)
    }

    /// How long ago `earlier` was; zero if it is to come.
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
