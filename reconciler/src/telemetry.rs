//! Logs, and figures for Prometheus.
//!
//! - [`logs`]: the log (`tracing_subscriber`).
//! - [`metrics`]: the figures (`prometheus_client`).

pub mod logs;
pub mod metrics;
