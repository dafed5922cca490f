//! Damage of the clone, searched for after a fetch has failed: from a full disk or a crash of the machine.

use std::{fmt, fs, io, path::Path};

use git2::{ErrorClass, ErrorCode, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{budget::ReadError, history};
use crate::source::target::Target;

/// The part of the clone that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Corruption {
    /// The refs. They only save fetching, so the clone works without them.
    Refs,
    /// The objects.
    Objects,
}

/// Searches for damage of the clone in a directory, in the child process.
pub(super) fn of(directory: &Path, target: &Target) -> Option<Corruption> {
    let Ok(clone) = BareClone::open_bare(directory) else { return Some(Corruption::Objects) };
    // Those that are no refs at all are passed over by an iterator.
    let followed = target.reference().map(|reference| clone.refname_to_id(&reference));
    if followed.is_some_and(|id| id.is_err_and(|error| error.code() != ErrorCode::NotFound)) {
        return Some(Corruption::Refs);
    }
    let walk = || {
        let references = clone.references()?;
        let tips = references.map(|reference| Ok(reference?.peel_to_commit()?.id()));
        let tips = tips.collect::<Result<Vec<_>, git2::Error>>()?;
        history::newest(&clone, tips, |_| false).map(drop)
    };
    match walk() {
        Err(ReadError::Git(error)) if error.class() != ErrorClass::NoMemory => Some(Corruption::Objects),
        _ => None,
    }
}

/// Removes all refs.
pub(super) fn forget_refs(clone: &BareClone) -> io::Result<()> {
    let refs = clone.path().join("refs");
    fs::remove_dir_all(&refs)?;
    fs::create_dir_all(refs.join("heads"))?;
    match fs::remove_file(clone.path().join("packed-refs")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refs => "its refs cannot be read",
            Self::Objects => "its commits cannot be read",
        })
    }
}
