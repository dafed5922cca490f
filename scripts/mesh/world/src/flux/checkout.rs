//! This checkout as a repository of its own.

use std::fs;

use anyhow::{Context, Result};
use harness::{Repository, paths};

use crate::machine::wait_for;

/// What Flux is to find in the repository.
const PARTS: [&str; 3] = ["flux", "k8s", "policies"];

/// A repository with the tracked files of `flux`, `k8s` and `policies`, as they are now.
pub(crate) async fn checkout() -> Result<Repository> {
    let workspace = paths::workspace().canonicalize()?;
    let directory = workspace.display().to_string();
    let listed = [&["-C", directory.as_str(), "ls-files", "-z", "--"], &PARTS[..]].concat();
    let repository = Repository::new().await?;
    for file in wait_for("git", &listed).await?.split_terminator('\0') {
        let (from, to) = (workspace.join(file), repository.work().join(file));
        // A file that is removed, and not yet so in the index.
        if !from.exists() {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file without a directory")?)?;
        fs::copy(&from, &to).with_context(|| format!("copying {file}"))?;
    }
    repository.push("Begin with this checkout").await?;
    Ok(repository)
}
