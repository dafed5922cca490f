//! The policies that are served.
//!
//! - [`published`]: the values: a catalog with its revision, and the bytes of one scope.
//! - [`scope_cache`]: the bytes of each scope that is asked for, and which are dropped.
//! - [`publisher`]: the hub that readers ask and wait at.
//! - [`gate`]: the halt: while it holds, every snapshot is empty. `turn`: the turns of publications.
//! - [`status`]: counts, and every policy with its state.
//! - [`turnover`]: what came into force and went, and why.
//! - `unselected`: a lint for policies that select no workload.
//! - [`namespaces`]: the namespaces of the cluster, by which policies are inactive.
//! - [`modules`]: the filter modules that are handed out.

pub mod gate;
pub mod modules;
pub mod namespaces;
pub mod published;
pub mod publisher;
pub mod scope_cache;
pub mod status;
pub(crate) mod turn;
pub mod turnover;
pub(crate) mod unselected;
