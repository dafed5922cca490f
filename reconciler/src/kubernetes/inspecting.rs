//! Reads the installation that the doctor judges.
//!
//! - [`fetch`]: asks the API server.
//! - `convert`: takes from its objects what is judged.
//! - `mesh_config`: Istio's mesh configuration.
//! - `proxy`: asks a proxy what it runs.
//! - `replica`: asks a pod of the control plane.
//! - `versions`: Kubernetes and Flux.

pub(crate) mod convert;
pub mod fetch;
pub(crate) mod mesh_config;
mod proxy;
pub(crate) mod replica;
mod versions;
