//! Opinions about EnvoyFilters.

use crate::values::Duration;

/// The priority. 0, Istio's default, leaves the order of filters undefined.
pub const PRIORITY: i32 = 10;

/// The time in which the requests of a limit are counted.
pub const PER: Duration = Duration::seconds(1);

/// The status of a request that is too many.
pub const STATUS: u32 = 429;
