//! The fault of the requests that a rule matches.

use super::{
    reply::Abort,
    values::{HeaderName, Percentage},
};

/// The longest that a request may be held, start delay and delay together, in milliseconds.
pub const MAX_HOLD_MS: u32 = 30_000;

/// A delay, an abort, or both: the delay first, then the abort.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    pub percentage: Percentage,
    /// The header whose value decides instead of chance.
    pub sticky_by: Option<HeaderName>,
    /// The time from the arrival of the request to the fault, in milliseconds.
    pub start_delay_ms: u32,
    /// The time that the rule is in force, from the policy's start; 0 is without end.
    pub duration_seconds: u32,
    pub delay: Option<Delay>,
    pub abort: Option<Abort>,
}

/// The delay of a request: any time between the two, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delay {
    pub min_ms: u32,
    pub max_ms: u32,
}
