//! The state directory: a clone that outlives the process, and the id of its last good commit.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::target::Target;
use crate::io_reason::io_reason;

/// The version of the stored form. Another version is not read.
const VERSION: u32 = 1;

/// The time that another process gets to let go of the lock. One that is killed while it starts a child process leaves
/// the lock to it, until that is executed.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// The directory, locked against every other process while this value exists.
#[derive(Debug)]
pub struct StateDir {
    folder: PathBuf,
    /// The lock. The system releases it when the process ends.
    _lock: File,
}

/// The repository, path and ref that a state belongs to. A state of another one must never be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub repository: String,
    pub target: Target,
    pub path: String,
}

/// The reason why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    #[error("another process uses the state directory {0}; give each instance its own")]
    Taken(String),
    #[error("cannot use the state directory {0}: {reason}", reason = io_reason(.1))]
    Unusable(String, io::Error),
}

impl StateDir {
    /// Locks the directory. Creates it if it does not exist.
    #[expect(clippy::disallowed_methods, reason = "a file lock cannot be awaited for a limited time")]
    pub fn open(folder: PathBuf) -> Result<Self, StateDirError> {
        let unusable = |error| StateDirError::Unusable(folder.display().to_string(), error);
        fs::create_dir_all(&folder).map_err(unusable)?;
        let lock = File::create(folder.join("lock")).map_err(unusable)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folder, _lock: lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(StateDirError::Taken(folder.display().to_string()));
                }
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
        }
    }

    /// The path of the directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of the clone.
    pub fn clone_folder(&self) -> PathBuf {
        self.folder.join("clone.git")
    }

    /// The last good commit, if one of `followed` is stored. The error says why the stored state is unusable.
    pub fn last_good(&self, followed: &Followed) -> Result<Option<String>, String> {
        let file = self.last_good_file();
        let damaged = |reason: String| format!("{}: {reason}", file.display());
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(damaged(io_reason(&error))),
        };
        let stored: Value =
            serde_json::from_slice(&text).map_err(|_| damaged("it is damaged: it is not JSON".to_owned()))?;
        let commit = stored.get("commit").and_then(Value::as_str).unwrap_or_default();
        if stored == document(followed, commit) {
            Ok(Some(commit.to_owned()))
        } else if stored.get("version") == Some(&VERSION.into()) {
            Err(damaged("it is of another repository, target or path".to_owned()))
        } else {
            Err(damaged(format!("it is not of version {VERSION}")))
        }
    }

    /// Stores the last good commit, completely or not at all.
    pub fn save(&self, followed: &Followed, commit: &str) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(document(followed, commit).to_string().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(self.last_good_file())?;
        File::open(&self.folder)?.sync_all()
    }

    /// Removes all stored state.
    pub fn clear(&self) -> io::Result<()> {
        absent(fs::remove_file(self.last_good_file()))?;
        absent(fs::remove_dir_all(self.clone_folder()))
    }

    fn last_good_file(&self) -> PathBuf {
        self.folder.join("last-good.json")
    }
}

/// Treats a missing file as removed.
fn absent(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn document(followed: &Followed, commit: &str) -> Value {
    let Followed { repository, target, path } = followed;
    json!({"version": VERSION, "repository": repository, "target": target, "path": path, "commit": commit})
}
