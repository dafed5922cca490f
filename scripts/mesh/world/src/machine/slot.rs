//! The number of a world. Its names follow from it.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::command::run;

/// The lock files are here, one for each number.
const LOCKS: &str = "/run/hfi-world";

/// So many worlds may run at once.
const SLOTS: u8 = 16;

/// The number of a world; no other has it while this value lives.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u8,
    /// Linux unlocks it when the process ends, however it ends.
    _lock: File,
}

impl Slot {
    /// Takes the lowest free number, and removes what worlds that are gone have left.
    pub(crate) fn take() -> Result<Self> {
        fs::create_dir_all(LOCKS).with_context(|| format!("creating {LOCKS}"))?;
        let mut taken = None;
        for number in 0..SLOTS {
            let lock = File::create(Path::new(LOCKS).join(number.to_string()))?;
            if lock.try_lock().is_err() {
                continue;
            }
            let slot = Self { number, _lock: lock };
            slot.remove_namespace()?;
            taken.get_or_insert(slot);
        }
        let Some(slot) = taken else { bail!("{SLOTS} worlds run on this machine, and no more can") };
        slot.empty_directory()?;
        Ok(slot)
    }

    /// The name of the world: of its network namespace, its node and its directory.
    pub(crate) fn name(&self) -> String {
        format!("hfi-world-{}", self.number)
    }

    /// The files of the world: its logs outlive it, until another world takes the number.
    pub(crate) fn directory(&self) -> PathBuf {
        std::env::temp_dir().join(self.name())
    }

    /// Kills the programs in the network namespace of this number, and removes it with all links and rules in it.
    pub(crate) fn remove_namespace(&self) -> Result<()> {
        let name = self.name();
        let namespaces = run("ip", &["netns", "list"])?;
        if !namespaces.lines().any(|line| line.split(' ').next() == Some(&name)) {
            return Ok(());
        }
        for process in run("ip", &["netns", "pids", &name])?.lines() {
            // The test is one of them, and one may have ended meanwhile.
            if process != std::process::id().to_string() {
                let _ = run("kill", &["-KILL", process]);
            }
        }
        run("ip", &["netns", "delete", &name])?;
        Ok(())
    }

    fn empty_directory(&self) -> Result<()> {
        let directory = self.directory();
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", directory.display()))
            }
            _ => Ok(fs::create_dir_all(&directory)?),
        }
    }
}
