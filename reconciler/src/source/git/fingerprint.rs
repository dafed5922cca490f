//! The key of an SSH server as `ssh-keygen -l` shows it.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use git2::cert::CertHostkey;

/// The kind of the key and its SHA-256 fingerprint.
pub(super) fn fingerprint(key: &CertHostkey<'_>) -> String {
    let kind = key.hostkey_type().map_or("of an unknown kind", |kind| kind.name());
    match key.hash_sha256() {
        Some(hash) => format!("{kind} SHA256:{}", STANDARD_NO_PAD.encode(hash)),
        None => kind.to_owned(),
    }
}
