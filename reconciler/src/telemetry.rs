//! Logs and counters.
//!
//! - [`logs`]: the log (`tracing_subscriber`).
//! - [`counters`]: totals since the process began (`prometheus_client`).

pub mod counters;
pub mod logs;
