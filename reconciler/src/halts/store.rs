//! Halts on disk, so that they outlive the process.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{in_git::InGit, ledger::Ledger};
use crate::{io_reason::io_reason, source::state_dir::StateDir};

/// The version of the stored form. Another version is not read.
const VERSION: u32 = 1;

/// The file in the state directory.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    /// Present if nothing else holds the directory.
    _lock: Option<StateDir>,
}

/// All that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    version: u32,
    pub ledger: Ledger,
    pub in_git: InGit,
}

impl Stored {
    pub fn new(ledger: Ledger, in_git: InGit) -> Self {
        Self { version: VERSION, ledger, in_git }
    }
}

impl Store {
    /// The store in a state directory, which `lock` keeps for this process if nothing else does.
    pub fn new(directory: PathBuf, lock: Option<StateDir>) -> Self {
        Self { directory, _lock: lock }
    }

    /// Reads what an earlier process stored. The error says why that is unusable.
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
        if stored.version == VERSION {
            Ok(Some(stored))
        } else {
            Err(damaged(format!("it is not of version {VERSION}")))
        }
    }

    /// Stores all, completely or not at all. One call at a time: they write the same new file.
    pub fn save(&self, stored: &Stored) -> io::Result<()> {
        let new = self.directory.join("halts.json.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(stored)?)?;
        file.sync_all()?;
        fs::rename(&new, self.file())?;
        File::open(&self.directory)?.sync_all()
    }

    fn file(&self) -> PathBuf {
        self.directory.join("halts.json")
    }
}
