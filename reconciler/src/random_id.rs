//! Ids that nobody else has.

use std::hash::{BuildHasher as _, RandomState};

/// The length of an id.
const LENGTH: usize = 16;

/// An id that no other process, and no other request, has: 16 of `0-9` and `a-f`.
pub(crate) fn random_id() -> String {
    // A fresh `RandomState` is keyed by the system's entropy.
    format!("{:016x}", RandomState::new().hash_one(0))
}

/// True for a text that can be such an id.
pub(crate) fn is_random_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::{is_random_id, random_id};

    #[test]
    fn an_id_has_a_form() {
        assert!(is_random_id(&random_id()));
        for text in ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF", "0123456789abcde\u{1b}"]
        {
            assert!(!is_random_id(text), "{text:?}");
        }
    }
}
