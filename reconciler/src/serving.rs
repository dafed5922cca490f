//! The policies that are served.
//!
//! - [`published`]: the newest catalog, and the bytes of each scope that is asked for.
//! - [`gate`]: the halt: while it holds, every snapshot is empty.
//! - [`status`]: counts, and every policy with its state.
//! - [`namespaces`]: the namespaces of the cluster, by which policies are inactive.
//! - [`modules`]: the filter modules that are handed out.

pub mod gate;
pub mod modules;
pub mod namespaces;
pub mod published;
pub mod status;
