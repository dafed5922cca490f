//! The Proxy-Wasm callbacks. They ask the core what to do, and call the host to do it.
//!
//! Calls from the host into the VM are the whole cost of a filter without policies, so there are only
//! two for a request. The SDK's dispatcher needs a third, at the end of every request; `exports` takes
//! its place, and the SDK's calls into the host are used without it.
//!
//! Nothing here may panic: a trap ends the VM and every request that it holds.

mod exports;
mod host;
mod hostcalls;
mod metrics;
mod root;
mod stream;
mod vm;
