//! The Proxy-Wasm filter of hfi.
//!
//! It runs in every Envoy that Istio configures, polls the reconciler for the snapshot of the proxy's
//! workload, and injects the faults of that snapshot. If anything goes wrong, traffic passes untouched:
//! nothing here may fail a request or leave it hanging.
//!
//! The core is plain Rust that is tested natively. It returns values that say what to do; only `abi`
//! calls the host. Imports run downwards in this list:
//!
//! - `abi`: the Proxy-Wasm callbacks and the calls into the host. It is built for wasm only.
//! - [`plugin`]: the state of one root context.
//! - [`event`]: events for the log and the metrics.
//! - [`programs`]: the compiled policies.
//! - [`sync`]: the polls, and the state that the VMs of a proxy share.
//! - [`request`]: the facts of a request, the held requests, and local replies.
//! - [`identity`]: the proxy's workload.
//! - [`config`]: the plugin configuration.
//! - [`stats`]: names and kinds of the stats.
//! - [`dice`]: random numbers.
//! - [`clock`]: monotonic time.

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
pub mod stats;
pub mod sync;
