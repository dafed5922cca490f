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
//! - [`sync`]: when to poll the control plane, what its answers mean, and what the VMs of one proxy
//!   know together.
//! - [`programs`]: what runs, for a workload or for each service of a waypoint.
//! - [`request`]: a request as policies see it, the requests that wait, and the replies to them.
//! - [`event`]: what is told of, in the log and the metrics.
//! - [`dice`]: the random numbers.
//! - [`plugin`]: all of it together, for one root context.
//! - [`clock`]: time to wait by.
//! - `abi`: the Proxy-Wasm callbacks, and the calls into the host; only built for wasm.

#[cfg(target_arch = "wasm32")]
pub mod abi;
pub mod clock;
pub mod config;
pub mod dice;
pub mod event;
pub mod identity;
pub mod plugin;
pub mod programs;
pub mod request;
pub mod sync;
