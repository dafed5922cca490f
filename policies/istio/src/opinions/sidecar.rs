//! Opinions about Sidecars.

/// What every sidecar calls beside the control plane of hfi: Istio's own services.
pub const ALWAYS: &str = "istio-system/*";

/// The Service of hfi's control plane, and its namespace. Without it faults stop arriving.
pub const CONTROL_PLANE: (&str, &str) = ("hfi-control-plane", "boifi");
