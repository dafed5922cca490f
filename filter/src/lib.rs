//! The Proxy-Wasm filter of hfi.
//!
//! It runs in every Envoy that Istio configures, follows the reconciler's snapshot for the proxy's
//! own workload, and injects exactly the faults that the snapshot says. Whatever goes wrong with it,
//! traffic passes untouched: nothing here may fail or hang a request.
//!
//! The core is plain Rust that runs and is tested natively; it returns values that say what to do.
//! `abi` alone speaks to the host and does it.
//!
//! - [`config`]: the plugin configuration.
//! - [`identity`]: which workload this proxy stands for.
//! - [`shared`]: what the VMs of one proxy know together, and which of them polls for all.
//! - [`sync`]: when to poll the control plane, and what its answers mean.
//! - [`programs`]: what runs, for a workload or for each service of a waypoint.
//! - [`request`]: a request as policies see it, read lazily.
//! - [`held`]: the requests that wait, and what is to become of them.
//! - [`event`]: what is told of, in the log and the metrics.
//! - [`local_reply`], [`map`](mod@map): an abort, and headers, as the host is told of them.
//! - [`streams`]: which root context a stream belongs to.
//! - [`random`]: the dice.
//! - [`plugin`]: all of it together, for one root context.
//! - [`clock`]: time to wait by.
//! - `abi`: the Proxy-Wasm callbacks, and `imports` more calls of the host; only built for wasm.

#[cfg(target_arch = "wasm32")]
pub mod abi;
pub mod clock;
pub mod config;
pub mod event;
pub mod held;
pub mod identity;
#[cfg(target_arch = "wasm32")]
mod imports;
pub mod local_reply;
pub mod map;
pub mod plugin;
pub mod programs;
pub mod random;
pub mod request;
pub mod shared;
pub mod streams;
pub mod sync;
