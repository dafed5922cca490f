//! Time that only goes forward, for waiting; when a rule ends is a matter of the wall clock instead.

use std::{ops::Add, time::Duration};

use serde::{Deserialize, Serialize};

/// An instant of the host's monotonic clock, which is the same in all VMs of a proxy.
/// `std::time::Instant` has none to read there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
