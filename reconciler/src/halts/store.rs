//! Halts on disk, so that they outlive the process.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{in_git::InGit, ledger::Ledger};
use crate::{io_reason::io_reason, source::state_dir::StateDir};

/// The version of the stored form. Another version is not read.
const VERSION: u32 = 1;

/// The file in the state directory.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    /// What is followed, in words.
    followed: String,
    /// Present if nothing else holds the directory.
    _lock: Option<StateDir>,
}

/// All that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    version: u32,
    /// What was followed. Absent in what an earlier release stored.
    #[serde(default)]
    followed: Option<String>,
    pub ledger: Ledger,
    pub in_git: InGit,
}

impl Stored {
    pub fn new(ledger: Ledger, in_git: InGit) -> Self {
        Self { version: VERSION, followed: None, ledger, in_git }
    }
}

impl Store {
    /// The store in a state directory, which `lock` keeps for this process if nothing else does. `followed` says in words
    /// what is followed.
    pub fn new(directory: PathBuf, followed: String, lock: Option<StateDir>) -> Self {
        Self { directory, followed, _lock: lock }
    }

    /// Reads what an earlier process stored. The error says why that is unusable. Halts hold whatever that process
    /// followed; where they are in Git is known only if it is the same.
    pub fn load(&self) -> Result<Option<Stored>, String> {
        let file = self.file();
        let damaged = |reason: String| format!("{}: {reason}", file.display());
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(damaged(io_reason(&error))),
        };
        let stored: Stored =
            serde_json::from_slice(&text).map_err(|_| damaged("it is damaged".to_owned()))?;
        if stored.version != VERSION {
            return Err(damaged(format!("it is not of version {VERSION}")));
        }
        let Some(before) = stored.followed.clone().filter(|before| *before != self.followed) else {
            return Ok(Some(stored));
        };
        if stored.ledger.halts().next().is_some() || stored.in_git.awaited().next().is_some() {
            let (before, now) = (before, &self.followed);
            warn!(
                before,
                now,
                "the halts that were stored go on here, where something else is followed; resume with DELETE /v1/halt"
            );
        }
        let in_git = stored.in_git.elsewhere();
        Ok(Some(Stored { in_git, ..stored }))
    }

    /// Stores all, completely or not at all. One call at a time: they write the same new file.
    pub fn save(&self, stored: &Stored) -> io::Result<()> {
        let new = self.directory.join("halts.json.new");
        let mut file = File::create(&new)?;
        let stored = Stored { followed: Some(self.followed.clone()), ..stored.clone() };
        file.write_all(&serde_json::to_vec(&stored)?)?;
        file.sync_all()?;
        fs::rename(&new, self.file())?;
        File::open(&self.directory)?.sync_all()
    }

    fn file(&self) -> PathBuf {
        self.directory.join("halts.json")
    }
}
