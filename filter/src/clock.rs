//! Monotonic time, for delays and timeouts. The end of a rule is a matter of the wall clock.

use std::{ops::Add, time::Duration};

use serde::{Deserialize, Serialize};

/// Instant of the host's monotonic clock, which is the same in all VMs of a proxy. On this target
/// `std::time::Instant` has no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instant(Duration);

impl Instant {
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
