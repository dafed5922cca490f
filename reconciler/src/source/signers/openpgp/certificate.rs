//! A certificate: its keys, and the statements of its owner about them.
//!
//! The administrator of the directory vouches for the owner. The owner's self-signatures say which keys sign,
//! until when, and which are revoked.

use pgp::{
    composed::{DetachedSignature, SignedPublicKey, SignedPublicSubKey},
    packet::{KeyFlags, PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData},
    types::{KeyDetails, Tag},
};
use policies::Timestamp;

const REVOKED: &str = "is revoked";

/// A certificate with a valid self-signature.
#[derive(Debug)]
pub(in crate::source::signers) struct Certificate {
    keys: Vec<Key>,
}

/// A key of a certificate.
#[derive(Debug)]
pub(super) struct Key {
    material: Material,
    /// The reason why the key never signs, if there is one.
    never: Option<&'static str>,
    /// The time when the key or its certificate expires.
    expires_at: Option<Timestamp>,
}

#[derive(Debug)]
enum Material {
    Primary(PublicKey),
    Subkey(PublicSubkey),
}

impl Certificate {
    /// Reads the keys of a certificate. The error says why there are none.
    pub(super) fn new(key: &SignedPublicKey) -> Result<Self, String> {
        let primary = &key.primary_key;
        let newest = newest(self_signatures(key)).ok_or_else(|| {
            format!("is the OpenPGP certificate {:X}, which is not signed by itself", key.fingerprint())
        })?;
        let revoked = key.details.revocation_signatures.iter().any(|revocation| {
            // Somebody else's, whom the owner may have named for that: it is better to believe it.
            revocation.verify_key(primary).is_ok() || !names(revocation, primary)
        });
        let revoked = revoked.then_some(REVOKED);
        let expires_at = expiry(primary, newest);
        let mut keys = vec![Key {
            material: Material::Primary(primary.clone()),
            never: revoked.or_else(|| not_for_signing(primary, newest)),
            expires_at,
        }];
        for subkey in &key.public_subkeys {
            let (never, until) = subkey_standing(primary, subkey);
            keys.push(Key {
                material: Material::Subkey(subkey.key.clone()),
                never: revoked.or(never),
                expires_at: expires_at.into_iter().chain(until).min(),
            });
        }
        Ok(Self { keys })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }
}

/// The owner's statement about the whole certificate.
fn self_signatures(key: &SignedPublicKey) -> impl Iterator<Item = &Signature> {
    let primary = &key.primary_key;
    let is_direct = |signature: &&Signature| signature.typ() == Some(SignatureType::Key);
    let direct = key.details.direct_signatures.iter().filter(is_direct);
    let direct = direct.filter(|signature| signature.verify_key(primary).is_ok());
    let by_user = key.details.users.iter().flat_map(move |user| {
        let certifies = |signature: &&Signature| signature.typ() != Some(SignatureType::CertRevocation);
        let own = move |signature: &&Signature| {
            signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        };
        user.signatures.iter().filter(certifies).filter(own)
    });
    direct.chain(by_user)
}

/// The reason why a subkey never signs, if there is one, and the time when it expires.
fn subkey_standing(
    primary: &PublicKey,
    subkey: &SignedPublicSubKey,
) -> (Option<&'static str>, Option<Timestamp>) {
    let of = |kind: SignatureType| {
        subkey.signatures.iter().filter(move |signature| {
            signature.typ() == Some(kind) && signature.verify_subkey_binding(primary, &subkey.key).is_ok()
        })
    };
    let Some(binding) = newest(of(SignatureType::SubkeyBinding)) else {
        return (Some("is not bound to its certificate"), None);
    };
    if of(SignatureType::SubkeyRevocation).next().is_some() {
        return (Some(REVOKED), None);
    }
    // Otherwise a certificate could claim what somebody else signs.
    let agrees = binding.embedded_signature();
    let agrees = agrees.is_some_and(|back| back.verify_primary_key_binding(&subkey.key, primary).is_ok());
    let never = not_for_signing(&subkey.key, binding);
    (never.or((!agrees).then_some("has not agreed to be of its certificate")), expiry(&subkey.key, binding))
}

/// The newest of these signatures.
fn newest<'s>(signatures: impl Iterator<Item = &'s Signature>) -> Option<&'s Signature> {
    signatures.max_by_key(|signature| signature.created().map(pgp::types::Timestamp::as_secs))
}

/// True if the key may sign data. A key without flags may be used for everything that its algorithm can do.
fn not_for_signing(key: &impl KeyDetails, says: &Signature) -> Option<&'static str> {
    let mut parts = says.config().into_iter().flat_map(|config| config.hashed_subpackets());
    let is_said = parts.any(|part| matches!(part.data, SubpacketData::KeyFlags(_)));
    let signs = if is_said { KeyFlags::sign(&says.key_flags()) } else { key.algorithm().can_sign() };
    (!signs).then_some("is not for signing")
}

fn expiry(key: &impl KeyDetails, says: &Signature) -> Option<Timestamp> {
    let lasts =
        says.key_expiration_time().map(pgp::types::Duration::as_secs).filter(|seconds| *seconds > 0)?;
    Some(timestamp(key.created_at()).plus_seconds(lasts))
}

/// True if the signature names this key as its maker.
fn names(signature: &Signature, key: &impl KeyDetails) -> bool {
    signature.issuer_key_id().contains(&&key.legacy_key_id())
        || signature.issuer_fingerprint().contains(&&key.fingerprint())
}

fn timestamp(at: pgp::types::Timestamp) -> Timestamp {
    Timestamp::from_millis(u64::from(at.as_secs()) * 1_000)
}

impl Key {
    /// True if this key made the signature over these bytes.
    pub(super) fn made(&self, signature: &DetachedSignature, covers: &[u8]) -> bool {
        match &self.material {
            Material::Primary(key) => signature.verify(key, covers).is_ok(),
            Material::Subkey(key) => signature.verify(key, covers).is_ok(),
        }
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.never == Some(REVOKED)
    }

    pub(super) fn is_named_by(&self, DetachedSignature { signature }: &DetachedSignature) -> bool {
        match &self.material {
            Material::Primary(key) => names(signature, key),
            Material::Subkey(key) => names(signature, key),
        }
    }

    /// Checks that a signature by this key is valid now, as `git verify-commit` does: the key must not have expired
    /// until now. The error completes a sentence.
    pub(super) fn stands(&self, made: &DetachedSignature, now: Timestamp) -> Result<(), String> {
        let (fingerprint, created_at) = match &self.material {
            Material::Primary(key) => (key.fingerprint(), key.created_at()),
            Material::Subkey(key) => (key.fingerprint(), key.created_at()),
        };
        let by = |why: &str| Err(format!("is signed by the OpenPGP key {fingerprint:X}, which {why}"));
        if let Some(never) = self.never {
            return by(never);
        }
        if let Some(expired) = self.expires_at.filter(|end| *end <= now) {
            return by(&format!("expired at {}", expired.to_rfc3339()));
        }
        let DetachedSignature { signature } = made;
        let Some(signed_at) = signature.created().map(timestamp) else {
            return Err("has an OpenPGP signature that does not say when it was made".to_owned());
        };
        if signed_at < timestamp(created_at) {
            return by("is younger than the signature");
        }
        let lasts = signature.signature_expiration_time().map(pgp::types::Duration::as_secs);
        match lasts.filter(|seconds| *seconds > 0).map(|seconds| signed_at.plus_seconds(seconds)) {
            Some(end) if end <= now => {
                by(&format!("made the signature for a time that ended at {}", end.to_rfc3339()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pgp::{
        composed::{Deserializable as _, SignedPublicKey},
        packet::SubpacketData,
    };

    use super::Certificate;

    /// The reason why the subkey never signs, if there is one.
    fn subkey(key: &SignedPublicKey) -> Option<&'static str> {
        Certificate::new(key).unwrap().keys.last().unwrap().never
    }

    #[test]
    fn a_subkey_is_of_the_certificate_that_it_agreed_to_be_of() {
        let (mut key, _) = SignedPublicKey::from_string(include_str!("alice.asc")).unwrap();
        assert_eq!(subkey(&key), None);
        let binding = &mut key.public_subkeys[0].signatures[0];
        let is_agreement = |data: &SubpacketData| matches!(data, SubpacketData::EmbeddedSignature(_));
        let agreement =
            binding.config().unwrap().unhashed_subpackets().position(|part| is_agreement(&part.data));
        binding.unhashed_subpacket_remove(agreement.unwrap()).unwrap();
        assert_eq!(subkey(&key), Some("has not agreed to be of its certificate"));
        key.public_subkeys[0].signatures.clear();
        assert_eq!(subkey(&key), Some("is not bound to its certificate"));
        key.details.users.clear();
        assert!(Certificate::new(&key).unwrap_err().contains("is not signed by itself"));
    }
}
