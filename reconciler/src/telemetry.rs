//! Logs, and metrics for Prometheus. It imports no other room.
//!
//! - [`logs`]: the log (`tracing_subscriber`).
//! - [`counters`]: totals since the process began (`prometheus_client`).
//! - [`exposition`]: the text that Prometheus scrapes (`prometheus_client`).

pub mod counters;
pub mod exposition;
pub mod logs;
