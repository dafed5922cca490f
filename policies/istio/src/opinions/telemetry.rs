//! Opinions about Telemetries.

/// The provider of access logs: Envoy's own, to standard output. Istio ignores an entry without a provider unless
/// MeshConfig has a default.
pub const LOGS: &str = "envoy";

/// The provider of metrics.
pub const METRICS: &str = "prometheus";

/// Answers that are errors, in CEL.
pub const ERRORS: &str = "response.code >= 400";
