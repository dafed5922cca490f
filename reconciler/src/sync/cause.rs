//! The causes of a sync.

use std::fmt;

/// The reason why the loop woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Start,
    Interval,
    Retry,
    Change,
    /// A sync was requested.
    Request,
    /// A directory came into being a moment ago.
    Recheck,
    /// A policy reached its beginning or its end.
    Expiry,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Interval => "interval",
            Self::Retry => "retry",
            Self::Change => "change",
            Self::Request => "request",
            Self::Recheck => "recheck",
            Self::Expiry => "expiry",
        })
    }
}
