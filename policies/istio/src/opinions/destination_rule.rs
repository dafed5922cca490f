//! Opinions about DestinationRules. A block that is written renders its defaults, so that the object says what
//! holds, and no default of the mesh changes it.

use crate::values::Duration;

/// The errors in a row after which an endpoint is left out. Also Istio's number.
pub const CONSECUTIVE_ERRORS: u32 = 5;

/// The time between two looks at the endpoints. Also Istio's.
pub const EJECTION_INTERVAL: Duration = Duration::seconds(10);

/// The time for which an endpoint is left out at first. Also Istio's.
pub const MINIMUM_EJECTION_TIME: Duration = Duration::seconds(30);

/// The time after which a connection that does not come is given up. Also Istio's.
pub const CONNECTION_TIMEOUT: Duration = Duration::seconds(10);

/// The requests that wait for a connection, and the requests at a time. Istio has no limit for them: an
/// overloaded callee then gets all that its callers have.
pub const HTTP_REQUESTS: u32 = 1024;

/// The lifetime of a cookie that requests stick by: as long as the browser's session. Without one Envoy sets no
/// cookie, and what has none never sticks.
pub const COOKIE_TTL: &str = "0s";

/// The namespaces that see a rule for some pods only: Istio refuses any other.
pub const EXPORT_OF_SELECTED: &str = ".";
