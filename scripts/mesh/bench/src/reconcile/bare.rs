//! A bare repository that is made by Git's low-level commands: hostile trees, and long histories.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// A bare repository whose objects are made one by one.
pub(crate) struct Bare {
    pub(crate) folder: TempDir,
}

impl Bare {
    pub(crate) async fn new() -> Result<Self> {
        let repository = Self { folder: tempfile::tempdir()? };
        std::fs::create_dir(repository.bare())?;
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main"], "").await?;
        Ok(repository)
    }

    fn bare(&self) -> PathBuf {
        self.folder.path().join("r.git")
    }

    pub(crate) fn path(&self) -> String {
        self.bare().display().to_string()
    }

    /// A commit on the branch.
    pub(crate) async fn commit(&self, tree: &str) -> Result<()> {
        let before = self.git(&["for-each-ref", "--format=%(objectname)", "refs/heads/main"], "").await?;
        let parent: &[&str] = if before.is_empty() { &[] } else { &["-p", &before] };
        let commit = self.git(&[&["commit-tree", tree][..], parent].concat(), "x").await?;
        self.git(&["update-ref", "refs/heads/main", &commit], "").await.map(drop)
    }

    pub(crate) async fn git(&self, arguments: &[&str], input: &str) -> Result<String> {
        git(&self.bare(), arguments, input).await
    }
}

/// Runs git with an input. Nothing of this machine's configuration counts.
pub(crate) async fn git(directory: &Path, arguments: &[&str], input: &str) -> Result<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(directory).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    for role in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
    }
    let mut child = git.env("GIT_CONFIG_GLOBAL", "/dev/null").kill_on_drop(true).spawn()?;
    child.stdin.take().context("git takes no input")?.write_all(input.as_bytes()).await?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "git {arguments:?}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The input of `git fast-import` that continues the branch by so many commits, each of which changes a file
/// that is no policy.
pub(crate) fn history(commits: usize) -> Result<String> {
    let mut stream = String::new();
    for number in 0..commits {
        let seconds = 1_700_000_000 + number;
        writeln!(stream, "commit refs/heads/main\ncommitter A <a@b> {seconds} +0000\ndata 1\nx")?;
        if number == 0 {
            writeln!(stream, "from refs/heads/main^0")?;
        }
        let (directory, file, text) = (number % 50, number % 5_000, number.to_string());
        writeln!(stream, "M 100644 inline src/d{directory}/f{file}.txt\ndata {}\n{text}\n", text.len())?;
    }
    Ok(stream)
}
