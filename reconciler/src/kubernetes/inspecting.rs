//! Reads the installation that the doctor judges, and resources that people want as documents.
//!
//! - `extensions`: asks a proxy's Envoy for the filters that it has.
//! - [`fetch`]: asks the API server.
//! - `forwarded`: requests to a port inside of a pod.
//! - `adoption`: where hfi cannot see objects of others.
//! - `convert`: takes from its objects what is judged.
//! - `defaults`: the values that the API server gives to fields that an object lacks.
//! - `listening`: the Gateways and what else gives listeners to proxies.
//! - `mesh_config`: Istio's mesh configuration.
//! - `objects`: the objects of a namespace, for `hfi import` and `hfi diff`.
//! - `proxy`: asks a proxy what it runs.
//! - `replica`: asks a pod of the control plane.
//! - `running_proxy`: the container of a proxy in the status of its pod.
//! - `services`: Services, and the protocols of their ports.
//! - `versions`: Kubernetes and Flux.

mod adoption;
pub(crate) mod convert;
mod defaults;
mod extensions;
pub mod fetch;
mod forwarded;
pub(crate) mod listening;
pub(crate) mod mesh_config;
pub(crate) mod objects;
mod proxy;
pub(crate) mod replica;
pub(crate) mod running_proxy;
pub(crate) mod services;
mod versions;

/// The most requests at once, to the API server for one thing or to proxies.
const ASKED_AT_ONCE: usize = 20;
