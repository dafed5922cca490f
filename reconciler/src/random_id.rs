//! Ids that nobody else has.

use std::hash::{BuildHasher as _, RandomState};

/// An id that no other process, and no other request, has: 16 of `0-9` and `a-f`.
pub(crate) fn random_id() -> String {
    // A fresh `RandomState` is keyed by the system's entropy.
    format!("{:016x}", RandomState::new().hash_one(0))
}
