//! What takes everything of a run away, even if this process is killed.

use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

use anyhow::{Context, Result};

use super::RunName;
use crate::machine::{run, script};

const CLEAR: &str = include_str!("clear.sh");

/// A shell that waits for the end of this process. Dropping it lets it work and waits for it.
#[derive(Debug)]
pub(super) struct Cleaner(Child);

impl Cleaner {
    pub(super) fn start(run: &RunName) -> Result<Self> {
        let mut command = script(CLEAR, [run.to_string()])?;
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // An interruption at the terminal must not end it.
        let child = command.process_group(0).spawn().context("starting sh")?;
        Ok(Self(child))
    }
}

impl Drop for Cleaner {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It says nothing that could be told to anybody here.
        let _ = self.0.wait();
    }
}

/// Takes away what a run has made. It blocks.
pub(crate) fn clean(dead: &RunName) -> Result<()> {
    run(script(CLEAR, [dead.to_string()])?)?;
    Ok(())
}
