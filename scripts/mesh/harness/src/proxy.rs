//! Real Envoys with the configuration that Istio gives them.

mod configuration;
mod envoy;
mod sidecar;

pub use envoy::Envoy;
pub(crate) use sidecar::workers;
pub use sidecar::{CONTROL_PLANE, Sidecar};
