//! Commands that end by themselves.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use super::garbage::GARBAGE;

/// Runs a program to its end and returns what it printed; fails with what it said if it failed. The thread waits,
/// so this is for what takes a moment.
pub(crate) fn run(program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> Result<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).output();
    printed(&command, output.with_context(|| format!("starting {command:?}"))?)
}

/// The same for what may take longer: the other tasks of the thread go on.
pub(crate) async fn wait_for(program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> Result<String> {
    let mut command = tokio::process::Command::new(program);
    let output =
        command.args(arguments).envs([GARBAGE]).stdin(Stdio::null()).kill_on_drop(true).output().await;
    printed(command.as_std(), output.with_context(|| format!("starting {:?}", command.as_std()))?)
}

fn printed(command: &Command, output: Output) -> Result<String> {
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
