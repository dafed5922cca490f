//! A commit and its signature.

use git2::{Error, ErrorCode, Oid, Repository as BareClone};

use super::{budget::ReadError, document_times::committed_at, objects};
use crate::source::signers::{Signature, Signed};

/// The commit header that holds the signature.
const HEADER: &str = "gpgsig";

/// A commit and its signature.
pub(super) fn of(clone: &BareClone, commit: Oid) -> Result<Signed, ReadError> {
    let found = objects::commit(clone, commit)?;
    // What extracts it would also take one that stands in the message.
    let is_signed = match found.header_field_bytes(HEADER) {
        Ok(_) => true,
        Err(error) if error.code() == ErrorCode::NotFound => false,
        Err(error) => return Err(error.into()),
    };
    let extract = || -> Result<_, Error> {
        let (armor, covers) = clone.extract_signature(&commit, Some(HEADER))?;
        Ok(Signature { armor: armor.to_vec(), covers: covers.to_vec() })
    };
    let signature = is_signed.then(extract).transpose()?;
    Ok(Signed { commit: commit.to_string(), committed_at: committed_at(&found), signature })
}
