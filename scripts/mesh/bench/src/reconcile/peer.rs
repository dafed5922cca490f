//! The peer: a bare clone, and `git fetch` into it.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::{process::Command, time::Instant};

use super::world::STAGED;

/// The cost of a command.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
}

/// A bare clone that is kept up to date by hand.
pub(crate) struct Peer {
    url: String,
    folder: TempDir,
    /// Of making the clone.
    pub(crate) cloned: Cost,
}

impl Peer {
    pub(crate) async fn new(url: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let clone = folder.path().join("clone.git").display().to_string();
        // As from another machine: the files of a repository on this one could simply be linked.
        let cloned =
            git(folder.path().into(), &["clone", "--quiet", "--bare", "--no-local", url, &clone]).await?;
        Ok(Self { url: url.to_owned(), folder, cloned })
    }

    /// Brings what was staged.
    pub(crate) async fn fetch(&self) -> Result<Cost> {
        let refspec = format!("+{STAGED}:{STAGED}");
        git(self.folder.path().join("clone.git"), &["fetch", "--quiet", &self.url, &refspec]).await
    }
}

/// Runs git, and what it starts in its turn. Processor time is rounded down to milliseconds.
async fn git(folder: PathBuf, arguments: &[&str]) -> Result<Cost> {
    let began = Instant::now();
    let output = Command::new("bash")
        .args(["-c", "TIMEFORMAT='%3U %3S'; time git \"$@\"", "bash"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {arguments:?}: {said}");
    let times = said.lines().last().context("bash tells no times")?.split(' ');
    let times = times.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(Cost { wall: began.elapsed(), processor: Duration::from_secs_f64(times) })
}
