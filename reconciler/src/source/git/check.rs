//! The first reading of a commit, in the child process: the process that serves reads only what could be read there.

use std::path::PathBuf;

use git2::{ErrorClass, Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{
    budget::ReadError, content_size::ContentSize, history, memory, objects, reason::reason, tree::Files,
};

/// A commit to read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CheckJob {
    pub(super) commit: String,
    /// The policy directory.
    pub(super) path: PathBuf,
    /// A commit that was read before: what is the same there is not read again.
    pub(super) known: Option<String>,
}

/// The result of reading a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    Sound,
    /// It must not be read: the reason.
    Refused(String),
    /// It cannot be read: the reason.
    Damaged(String),
}

/// Reads a commit as it will be read for serving.
pub(super) fn check(clone: &BareClone, job: &CheckJob) -> Verdict {
    match read(clone, job) {
        Ok(()) => Verdict::Sound,
        Err(ReadError::Over(excess)) => Verdict::Refused(excess.to_string()),
        Err(ReadError::Git(error)) if error.class() == ErrorClass::NoMemory => {
            Verdict::Refused(format!("reading it takes more than {} MiB of memory", memory::OF_CHECK >> 20))
        }
        Err(ReadError::Git(error)) => Verdict::Damaged(reason(&error)),
    }
}

fn read(clone: &BareClone, CheckJob { commit, path, known }: &CheckJob) -> Result<(), ReadError> {
    let commit = Oid::from_str(commit)?;
    let known = known.as_ref().and_then(|id| Oid::from_str(id).ok());
    let before = known.and_then(|known| Files::of(clone, known, path, None).ok());
    let files = Files::of(clone, commit, path, before.as_ref())?;
    let mut size = ContentSize::default();
    for blob in files.change(before.as_ref()).after {
        size.add(objects::content(clone, blob)?.len())?;
    }
    history::read(clone, commit, known)
}
