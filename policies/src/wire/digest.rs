//! Content addresses: SHA-256 of exactly the bytes served.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The SHA-256 of some bytes, shown as `sha256:<hex>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of several byte strings; their lengths count, so that no two lists collide.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The 32 bytes themselves.
    pub fn into_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The strong entity tag (RFC 9110, section 8.8.3): `"sha256:<hex>"`, quotes included.
    pub fn etag(&self) -> String {
        let mut tag = String::with_capacity(2 + "sha256:".len() + 2 * self.0.len());
        // Writing to a string does not fail.
        let _ = write!(tag, "\"{self}\"");
        tag
    }

    /// Reads an entity tag as [`Digest::etag`] writes it; anything else is `None`.
    pub fn from_etag(etag: &str) -> Option<Self> {
        let hex = etag.strip_prefix("\"sha256:")?.strip_suffix('"')?;
        let mut bytes = [0; 32];
        if hex.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let [high, low] = digits else { return None };
            *byte = value_of(*high)? << 4 | value_of(*low)?;
        }
        Some(Self(bytes))
    }
}

/// Of a hexadecimal digit. Upper case is another address.
fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written for every answer: in one piece, and without a formatter for each byte.
        let mut hex = [0; 64];
        for (digits, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or_default();
            digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        f.write_str("sha256:")?;
        f.write_str(str::from_utf8(&hex).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut short = String::new();
        self.0.iter().take(4).try_for_each(|byte| write!(short, "{byte:02x}"))?;
        write!(f, "Digest({short}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn an_etag_reads_back_as_the_digest_it_was_made_of() {
        let digest = Digest::of(b"abc");
        assert_eq!(
            digest.to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Digest::from_etag(&digest.etag()), Some(digest));
    }

    #[test]
    fn a_foreign_etag_is_no_digest() {
        let etag = Digest::of(b"abc").etag();
        for foreign in ["", "\"\"", "abc", "\"sha256:+1\"", &etag.to_uppercase(), &format!("W/{etag}")] {
            assert_eq!(Digest::from_etag(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(Digest::of_parts([&b"ab"[..], b"c"]), Digest::of_parts([&b"a"[..], b"bc"]));
    }
}
