//! The directory of the clone: a temporary one, or one that outlives the process.

use std::{fs, io, path::Path};

use git2::{Error, Oid, Repository as BareClone};
use tracing::warn;

use super::{
    reason::{failure, reason},
    temporary::Temporary,
};
use crate::{
    io_reason::io_reason,
    source::{
        error::SourceError,
        state_dir::{Followed, StateDir},
    },
};

/// The directory of the clone.
pub(super) enum Storage {
    /// A temporary directory, removed with this value.
    Temporary(Temporary),
    Kept {
        state: StateDir,
        followed: Followed,
        /// The commit that is stored as the last good one.
        saved: Option<Oid>,
    },
}

impl Storage {
    /// A directory that ends with the process.
    pub(super) fn temporary() -> Result<Self, SourceError> {
        Temporary::new().map(Self::Temporary).map_err(|error| failed(&error))
    }

    /// The clone, and its last good commit if there is one. A clone that is damaged or of another repository is
    /// logged and removed.
    pub(super) fn open(&mut self) -> Result<(BareClone, Option<Oid>), SourceError> {
        if let Self::Kept { state, followed, saved } = self {
            match kept(state, followed) {
                Ok(Some((clone, commit))) => {
                    *saved = Some(commit);
                    return Ok((clone, Some(commit)));
                }
                Ok(None) => {}
                Err(reason) => warn!(reason, "the clone in the state directory is of no use"),
            }
        }
        Ok((self.renew()?, None))
    }

    /// Replaces the clone by an empty one.
    pub(super) fn renew(&mut self) -> Result<BareClone, SourceError> {
        let folder = match self {
            Self::Temporary(folder) => {
                folder.clear().map_err(|error| failed(&error))?;
                folder.path().to_owned()
            }
            Self::Kept { state, saved, .. } => {
                *saved = None;
                state.clear().map_err(|error| failed(&error))?;
                state.clone_folder()
            }
        };
        let made = BareClone::init_bare(folder).and_then(|clone| {
            // What the state names must have reached the disk before it does.
            clone.config()?.set_bool("core.fsyncObjectFiles", matches!(self, Self::Kept { .. }))?;
            Ok(clone)
        });
        made.map_err(|error| failure("cannot make the clone", &error))
    }

    /// The commit that is stored as the last good one.
    pub(super) fn saved(&self) -> Option<Oid> {
        match self {
            Self::Temporary(_) => None,
            Self::Kept { saved, .. } => *saved,
        }
    }

    /// Stores the last good commit, if there is a state directory.
    pub(super) fn save(&mut self, commit: Oid) {
        let Self::Kept { state, followed, saved } = self else { return };
        if *saved == Some(commit) {
            return;
        }
        match state.save(followed, &commit.to_string()) {
            Ok(()) => *saved = Some(commit),
            Err(error) => warn!(%error, %commit, "cannot store the last good commit"),
        }
    }
}

fn failed(error: &io::Error) -> SourceError {
    SourceError(format!("cannot make a directory for the clone: {}", io_reason(error)))
}

/// The clone of an earlier process. The error says why it cannot be used.
fn kept(state: &StateDir, followed: &Followed) -> Result<Option<(BareClone, Oid)>, String> {
    let Some(commit) = state.last_good(followed)? else { return Ok(None) };
    let folder = state.clone_folder();
    sweep(&folder).map_err(|error| format!("{}: {}", folder.display(), io_reason(&error)))?;
    let open = || {
        let commit = Oid::from_str(&commit)?;
        let clone = BareClone::open_bare(&folder)?;
        clone.find_commit(commit)?;
        Ok((clone, commit))
    };
    open().map(Some).map_err(|error: Error| format!("{}: {}", folder.display(), reason(&error)))
}

/// Removes what a killed process left: locks, which would never be released, and half-written packs. No other
/// process works here: the state directory is locked, and a child process that fetches has ended.
pub(super) fn sweep(clone: &Path) -> io::Result<()> {
    sweep_folder(clone, &clone.join("objects"))
}

fn sweep_folder(folder: &Path, objects: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            sweep_folder(&path, objects)?;
        } else if is_left_over(&name.to_string_lossy(), folder.starts_with(objects)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Recognises the names that libgit2 gives: `<file>.lock`, which no ref can have, and
/// `<prefix>_git2_<random>` among the objects.
fn is_left_over(name: &str, is_object: bool) -> bool {
    name.ends_with(".lock") || (is_object && name.contains("_git2_"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::sweep;

    #[test]
    fn what_was_left_half_way_is_swept_and_no_ref_is() {
        let clone = tempfile::tempdir().unwrap();
        let left_over =
            ["refs/heads/main.lock", "objects/pack/pack_git2_0123456789abcdef", "objects/ab/tmp_git2_x"];
        let wanted = ["refs/heads/libs_git2_next", "objects/pack/pack-0123.pack", "HEAD"];
        for file in left_over.iter().chain(&wanted) {
            let path = clone.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        sweep(clone.path()).unwrap();
        assert!(left_over.iter().all(|file| !clone.path().join(file).exists()));
        assert!(wanted.iter().all(|file| clone.path().join(file).exists()));
    }
}
