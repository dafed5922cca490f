//! A program that serves until the test has ended.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail};
use harness::Deadline;
use tempfile::TempDir;
use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(20);

/// Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    folder: TempDir,
}

impl Served {
    /// Starts it; it ends with this process, whatever happens.
    pub(crate) fn start(program: &str, arguments: &[String]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("log"))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", program])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child, folder })
    }

    /// The result of `find` on the printed lines, as soon as there is one.
    pub(crate) async fn says<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Deadline::of("a program to say that it serves", PATIENCE);
        loop {
            let log = std::fs::read_to_string(self.folder.path().join("log"))?;
            if let Some(found) = find(&log) {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("ended with {status}; it said:\n{log}");
            }
            deadline.pause().await?;
        }
    }
}
