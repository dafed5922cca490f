//! A commit and its signature.

use git2::{Error, ErrorCode, Oid, Repository as Clone};

use super::origins::committed_at;
use crate::source::signers::{Signature, Signed};

/// What vouches for a commit.
pub(super) fn of(clone: &Clone, commit: Oid) -> Result<Signed, Error> {
    let committed_at = committed_at(&clone.find_commit(commit)?);
    let signature = match clone.extract_signature(&commit, None) {
        Ok((armor, covers)) => Some(Signature { armor: armor.to_vec(), covers: covers.to_vec() }),
        // The commit is there: what is not is its signature.
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(Signed { commit: commit.to_string(), committed_at, signature })
}
