//! Events of Kubernetes for what changed.
//!
//! - `diff`: the changes between two states.
//! - `queue`: sends each once.

pub(crate) mod diff;
pub(crate) mod queue;
