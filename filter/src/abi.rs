//! The Proxy-Wasm callbacks. They ask the core what to do, and call the host to do it.
//!
//! Calls from the host into the VM are the whole cost of a filter without policies, so there are only
//! two for a request. That is why there is no SDK here: the one for Rust needs a third, at the end of every request.
//! Its calls into the host also trap on a status that they do not expect, and it would be a tenth of the module.
//!
//! Nothing here may panic: a trap ends the VM and every request that it holds.

mod exports;
mod host;
mod hostcalls;
mod imports;
mod metrics;
mod root;
mod stream;
mod vm;
