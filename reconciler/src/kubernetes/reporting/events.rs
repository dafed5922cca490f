//! Events of Kubernetes for what changed.
//!
//! - `diff`: the changes between two states.
//! - `budget`: limits their number.
//! - `queue`: sends each once.

pub(crate) mod budget;
pub(crate) mod diff;
pub(crate) mod queue;
