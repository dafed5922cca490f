//! HMAC-SHA256. The one file that names `hmac`.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The MAC of a message, in lower-case hex.
pub(super) fn sign(secret: &[u8], message: &[u8]) -> Option<String> {
    let mut hex = String::new();
    for byte in mac(secret, message)?.finalize().into_bytes() {
        write!(hex, "{byte:02x}").ok()?;
    }
    Some(hex)
}

/// Compares two texts in a time that does not depend on where they differ: their MACs are compared, in constant
/// time.
pub(super) fn is_same(given: &[u8], expected: &[u8]) -> bool {
    match (mac(expected, given), mac(expected, expected)) {
        (Some(given), Some(expected)) => given.verify(&expected.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}

/// Never `None`: HMAC takes a key of any length. `None` would prove nothing.
fn mac(secret: &[u8], message: &[u8]) -> Option<Hmac<Sha256>> {
    Some(Hmac::<Sha256>::new_from_slice(secret).ok()?.chain_update(message))
}

#[cfg(test)]
mod tests {
    use super::{is_same, sign};

    #[test]
    fn a_mac_is_that_of_rfc_4231() {
        assert_eq!(
            sign(b"Jefe", b"what do ya want for nothing?").unwrap(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn only_equal_texts_are_the_same() {
        assert!(is_same(b"abc", b"abc"));
        for other in [&b""[..], b"ab", b"abcd", b"ABC"] {
            assert!(!is_same(other, b"abc"), "{other:?}");
        }
    }
}
