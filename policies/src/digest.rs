//! Content addresses: SHA-256 of exactly the bytes served.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

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
        format!("\"{self}\"")
    }

    /// Reads an entity tag as [`Digest::etag`] writes it; anything else is `None`.
    pub fn from_etag(etag: &str) -> Option<Self> {
        let hex = etag.strip_prefix("\"sha256:")?.strip_suffix('"')?;
        let mut bytes = [0; 32];
        if hex.len() != 2 * bytes.len() || !hex.is_ascii() {
            return None;
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        // `from_str_radix` is lenient (it takes a sign and upper case); an address is not.
        let digest = Self(bytes);
        (digest.etag() == etag).then_some(digest)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
