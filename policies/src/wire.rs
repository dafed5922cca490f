//! What passes from the reconciler to the filter, and nothing else does.

mod digest;
mod scope;
mod snapshot;

pub use digest::Digest;
pub use scope::{Scope, ScopeError};
pub use snapshot::{Entry, MEDIA_TYPE, Schedule, Snapshot, SnapshotError};
