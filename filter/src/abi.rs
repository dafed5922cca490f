//! The Proxy-Wasm callbacks: they ask the core what to do, and do it.
//!
//! What a filter costs a proxy that has nothing for it to do is the calls from the host into its VM, so
//! there are as few as can be: two for a request. That leaves no place for the SDK's dispatcher, which
//! has to hear of the end of every request too; `exports` takes its place, over the SDK's own calls
//! into the host.
//!
//! Nothing in here may panic: a trap ends the VM and every request that it holds.

mod exports;
mod host;
mod hostcalls;
mod metrics;
mod root;
mod stream;
mod vm;
