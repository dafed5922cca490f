//! Opinions about Sidecars.

/// What every sidecar calls: Istio's own services, and the control plane of hfi. Without it faults stop arriving.
pub const ALWAYS: [&str; 2] = ["istio-system/*", "boifi/hfi-control-plane.boifi.svc.cluster.local"];
