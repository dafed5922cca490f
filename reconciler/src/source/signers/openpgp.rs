//! OpenPGP certificates, and the signatures that Git makes with them. Only this room names `pgp`.

mod certificate;

use pgp::{
    composed::{Deserializable as _, DetachedSignature, SignedPublicKey},
    crypto::hash::HashAlgorithm,
    packet::{SignatureType, SubpacketData},
};
use policies::Timestamp;

pub(super) use self::certificate::Certificate;

/// The first and the last line of an armored certificate.
pub(super) const ARMOR: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const ARMOR_END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// Reads armored certificates.
pub(super) fn armored(text: &str) -> Result<Vec<Certificate>, String> {
    let mut certificates = Vec::new();
    for block in text.split(ARMOR).skip(1) {
        let end = block.find(ARMOR_END).ok_or("is an OpenPGP certificate that is cut short")?;
        let block = format!("{ARMOR}{}{ARMOR_END}\n", block.get(..end).unwrap_or_default());
        let (keys, _) = SignedPublicKey::from_armor_many_buf(block.as_bytes()).map_err(unreadable)?;
        certificates.extend(usable(keys)?);
    }
    Ok(certificates)
}

/// True if bytes look like an OpenPGP packet: the first bit is set.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| byte & 0x80 != 0)
}

/// Reads certificates as `gpg --export` writes them.
pub(super) fn binary(bytes: &[u8]) -> Result<Vec<Certificate>, String> {
    usable(SignedPublicKey::from_bytes_many(bytes).map_err(unreadable)?)
}

fn usable(
    keys: impl Iterator<Item = pgp::errors::Result<SignedPublicKey>>,
) -> Result<Vec<Certificate>, String> {
    let certificates = keys.map(|key| Certificate::new(&key.map_err(unreadable)?));
    let certificates = certificates.collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err("holds no OpenPGP certificate".to_owned());
    }
    Ok(certificates)
}

fn unreadable(error: impl std::fmt::Display) -> String {
    format!("is not an OpenPGP certificate that can be read: {error}")
}

/// Checks that one of these certificates made the signature. The error completes a sentence.
pub(super) fn check(
    certificates: &[Certificate],
    armor: &[u8],
    covers: &[u8],
    now: Timestamp,
) -> Result<(), String> {
    let signature = read(armor)?;
    let by = issuer(&signature);
    let keys = || certificates.iter().flat_map(Certificate::keys);
    let made: Vec<_> = keys().filter(|key| key.made(&signature, covers)).collect();
    // An older copy of a certificate may still have expired, or not be revoked yet.
    let judged = match made.iter().find(|key| key.is_revoked()) {
        Some(revoked) => Some(revoked.stands(&signature, now)),
        None => made.iter().map(|key| key.stands(&signature, now)).reduce(Result::or),
    };
    let otherwise = || {
        if keys().any(|key| key.is_named_by(&signature)) {
            Err(format!("is not what was signed by {by}: the signature does not match"))
        } else {
            Err(format!("is signed by {by}, which is not among the keys"))
        }
    };
    judged.unwrap_or_else(otherwise)
}

/// Reads exactly one signature of the kind that Git makes.
fn read(armor: &[u8]) -> Result<DetachedSignature, String> {
    let cannot = |error: pgp::errors::Error| format!("has an OpenPGP signature that cannot be read: {error}");
    let (mut signatures, _) = DetachedSignature::from_armor_many_buf(armor).map_err(cannot)?;
    let signature = signatures.next().ok_or("has an empty OpenPGP signature")?.map_err(cannot)?;
    if signatures.next().is_some() {
        return Err("has more than one OpenPGP signature".to_owned());
    }
    let config = signature.signature.config().ok_or("has an OpenPGP signature of an unknown version")?;
    if config.typ() != SignatureType::Binary {
        return Err("has an OpenPGP signature that is not of a document".to_owned());
    }
    if matches!(config.hash_alg, HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Ripemd160) {
        return Err(format!("has a signature over a hash by {}, which can be forged", config.hash_alg));
    }
    let unknown = |data: &SubpacketData| {
        matches!(
            data,
            SubpacketData::Notation(_) | SubpacketData::Experimental(..) | SubpacketData::Other(..)
        )
    };
    if config.hashed_subpackets().any(|part| part.is_critical && unknown(&part.data)) {
        return Err("has an OpenPGP signature with a critical part that is not known".to_owned());
    }
    Ok(signature)
}

/// The key that a signature names.
fn issuer(DetachedSignature { signature }: &DetachedSignature) -> String {
    let fingerprints = signature.issuer_fingerprint();
    let (fingerprint, id) = (fingerprints.first(), signature.issuer_key_id().first().copied());
    match (fingerprint, id) {
        (Some(fingerprint), _) => format!("the OpenPGP key {fingerprint:X}"),
        (None, Some(id)) => format!("the OpenPGP key with the id {id}"),
        (None, None) => "an OpenPGP key that it does not name".to_owned(),
    }
}
