//! SSH keys, and the signatures that Git makes with them. This and what is below it alone names `ssh_key`.

mod signing_key;

use policies::Timestamp;
use ssh_key::{HashAlg, PublicKey, SshSig, public::KeyData};

pub use self::signing_key::SigningKey;
use super::allowed_signers::{GIT, Window, entry};

/// The permitted sizes of an RSA key, in bits. Shorter keys can be broken; the library does not verify longer
/// ones.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The key of a trusted signer.
#[derive(Debug)]
pub(super) struct Signer {
    key: PublicKey,
    window: Window,
}

/// Reads the line of a key.
pub(super) fn signer(line: &str) -> Result<Signer, String> {
    let entry = entry(line)?;
    let key = PublicKey::from_openssh(&format!("{} {}", entry.kind, entry.base64))
        .map_err(|error| format!("is not an SSH public key: {error}"))?;
    match key.key_data() {
        KeyData::Ecdsa(_) | KeyData::Ed25519(_) => {}
        KeyData::SkEcdsaSha2NistP256(_) | KeyData::SkEd25519(_) => {}
        KeyData::Rsa(rsa) => {
            let bits = 8 * rsa.n.as_positive_bytes().unwrap_or_default().len();
            if !RSA_BITS.contains(&bits) {
                let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
                return Err(format!("is an RSA key of {bits} bits; it may have {least} to {most}"));
            }
        }
        _ => return Err(format!("is of the kind {}, which is not supported", entry.kind)),
    }
    Ok(Signer { key, window: entry.window })
}

/// Checks that one of these keys made the signature. The error completes a sentence.
pub(super) fn check(
    signers: &[Signer],
    armor: &[u8],
    covers: &[u8],
    committed_at: Timestamp,
) -> Result<(), String> {
    let signature = SshSig::from_pem(armor)
        .map_err(|error| format!("has an SSH signature that cannot be read: {error}"))?;
    let key = signature.public_key();
    let by = format!("the SSH key {} ({})", key.fingerprint(HashAlg::Sha256), key.algorithm());
    let mut known = signers.iter().filter(|signer| signer.key.key_data() == key).peekable();
    let Some(first) = known.peek() else {
        return Err(format!("is signed by {by}, which is not among the keys"));
    };
    // The key, its namespace, and that the signature is of these bytes.
    first.key.verify(GIT, covers, &signature).map_err(|error| match error {
        ssh_key::Error::Namespace => {
            format!("is signed by {by} for the namespace `{}` and not for `{GIT}`", signature.namespace())
        }
        _ => format!("is not what was signed by {by}: the signature does not match"),
    })?;
    // As Git judges: by the committer's date.
    if known.any(|signer| signer.window.holds(committed_at)) {
        Ok(())
    } else {
        let when = committed_at.to_rfc3339();
        Err(format!("is signed by {by}, which was not valid when it was committed, at {when}"))
    }
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;
    use sha2::{Digest as _, Sha256};
    use ssh_key::{
        Algorithm, HashAlg, PrivateKey, PublicKey, Signature, SigningKey, SshSig,
        private::Ed25519Keypair,
        public::{KeyData, SkEd25519},
    };

    use super::{check, signer};

    const TEXT: &[u8] = b"text";

    /// Signs as a security key does: over a hash of the text and a counter.
    fn sign_as_security_key(keypair: &Ed25519Keypair, text: &[u8]) -> (KeyData, String) {
        fn raw(key: &impl SigningKey, bytes: &[u8]) -> Signature {
            key.try_sign(bytes).unwrap()
        }
        let touched_once = [1, 0, 0, 0, 1];
        let data = SshSig::signed_data("git", HashAlg::Sha512, text).unwrap();
        let signed = [&Sha256::digest(b"ssh:")[..], &touched_once, &Sha256::digest(data)].concat();
        let signature = [raw(&PrivateKey::from(keypair.clone()), &signed).as_bytes(), &touched_once].concat();
        let key = KeyData::SkEd25519(SkEd25519::new(keypair.public, "ssh:"));
        let signature = Signature::new(Algorithm::SkEd25519, signature).unwrap();
        let signature = SshSig::new(key.clone(), "git", HashAlg::Sha512, signature).unwrap();
        (key, signature.to_string())
    }

    #[test]
    fn a_security_key_may_sign() {
        let (key, armor) = sign_as_security_key(&Ed25519Keypair::from_seed(&[7; 32]), TEXT);
        let line = PublicKey::from(key).to_openssh().unwrap();
        let signers = [signer(&line).unwrap()];
        let now = Timestamp::from_millis(0);
        check(&signers, armor.as_bytes(), TEXT, now).unwrap();
        assert!(check(&signers, armor.as_bytes(), b"another", now).unwrap_err().contains("does not match"));
    }
}
