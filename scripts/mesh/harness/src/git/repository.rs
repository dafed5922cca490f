//! A policy repository as a team has it: a bare Git repository, and a clone that one works in.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::process::Command;

/// The branch that policies live on.
pub(crate) const BRANCH: &str = "main";

/// A bare repository and a clone of it, in a directory that goes away with this value.
#[derive(Debug)]
pub struct Repository {
    folder: TempDir,
}

/// When a `git push` began, and when it came back.
#[derive(Debug, Clone, Copy)]
pub struct Push {
    /// Just before the `git push` command started.
    pub began: Instant,
    /// When the command had ended.
    pub returned: Instant,
}

impl Repository {
    /// A repository whose branch has one commit and no policies.
    pub async fn new() -> Result<Self> {
        let repository = Self { folder: tempfile::Builder::new().prefix("hfi-").tempdir()? };
        let folder = repository.folder.path();
        git(folder, &["init", "--quiet", "--bare", "--initial-branch", BRANCH, "policies.git"]).await?;
        let author = ["--config", "user.name=Demo", "--config", "user.email=demo@example.com"];
        let clone = ["clone", "--quiet"].into_iter().chain(author).chain(["policies.git", "work"]);
        git(folder, &clone.collect::<Vec<_>>()).await?;
        git(&repository.work(), &["checkout", "--quiet", "-B", BRANCH]).await?;
        repository.write("README.md", "Fault policies\n")?;
        repository.push("Begin").await?;
        Ok(repository)
    }

    /// A repository that begins with the files of a directory.
    pub async fn seeded(from: &Path) -> Result<Self> {
        let repository = Self::new().await?;
        copy(from, &repository.work()).with_context(|| format!("copying {}", from.display()))?;
        repository.push("Add policies").await?;
        Ok(repository)
    }

    /// The directory that both are in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The bare repository: what a reconciler is pointed at.
    pub fn bare(&self) -> PathBuf {
        self.folder.path().join("policies.git")
    }

    /// The clone to edit in.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Writes a file in the clone, to be pushed.
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.work().join(file);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text).with_context(|| format!("writing {file}"))
    }

    /// Removes a file in the clone, to be pushed.
    pub fn remove(&self, file: &str) -> Result<()> {
        std::fs::remove_file(self.work().join(file)).with_context(|| format!("removing {file}"))
    }

    /// Runs git in the clone, and answers what it printed.
    pub async fn git(&self, arguments: &[&str]) -> Result<String> {
        git(&self.work(), arguments).await
    }

    /// Runs git in the clone as if it were then, in seconds since the Unix epoch.
    pub async fn git_at(&self, seconds: u64, arguments: &[&str]) -> Result<String> {
        let then = format!("{seconds} +0000");
        run(command(&self.work(), arguments).env("GIT_AUTHOR_DATE", &then).env("GIT_COMMITTER_DATE", &then))
            .await
    }

    /// Commits every change of the clone and pushes it.
    pub async fn push(&self, message: &str) -> Result<Push> {
        let work = self.work();
        git(&work, &["add", "--all"]).await?;
        git(&work, &["commit", "--quiet", "--message", message]).await?;
        let began = Instant::now();
        git(&work, &["push", "--quiet", "origin", BRANCH]).await?;
        Ok(Push { began, returned: Instant::now() })
    }
}

async fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    run(&mut command(folder, arguments)).await
}

/// Git with nobody's configuration but its own.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    // Set when the whole runs from a Git hook, and then meant for another repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
        command.env_remove(variable);
    }
    command
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(command: &mut Command) -> Result<String> {
    let output = command.output().await.context("starting git")?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{:?} failed: {}", command.as_std(), complaint.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
