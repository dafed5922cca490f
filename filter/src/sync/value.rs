//! Encoding of values in the shared data.

use serde::{Deserialize, Serialize};

/// `None` for what cannot be encoded.
pub(super) fn encode<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    postcard::to_allocvec(value).ok()
}

/// A value that cannot be decoded counts as absent.
pub(super) fn decode<T: Default + for<'de> Deserialize<'de>>(value: &[u8]) -> T {
    postcard::from_bytes(value).unwrap_or_default()
}
