//! Images of hfi.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use harness::paths;
use kubelet::Program;

use crate::machine::wait_for;

/// An image of hfi as its Containerfile makes it, in a new directory: with a binary, its module, and the module that
/// proxies may still run.
pub async fn hfi_image(root: &Path, binary: &Path, module: &Path, previous: &Path) -> Result<Program> {
    let script = paths::workspace().join("scripts/image-root");
    let mut words: Vec<_> = [("HFI_BIN", binary), ("HFI_FILTER", module)]
        .map(|(name, path)| format!("{name}={}", path.display()))
        .into();
    words.extend([&script, root, previous].map(|path| path.display().to_string()));
    wait_for("env", &words).await?;
    let file = fs::read_to_string(paths::workspace().join("k8s/Containerfile"))?;
    let instruction =
        |name: &str| file.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let said = |name| instruction(name).with_context(|| format!("the Containerfile has no {name}"));
    let words = |name| Ok::<Vec<String>, anyhow::Error>(serde_json::from_str(said(name)?)?);
    let (name, value) = said("ENV")?.split_once('=').context("ENV without a value")?;
    let (user, group) = said("USER")?.split_once(':').context("USER without a group")?;
    let entrypoint = words("ENTRYPOINT")?;
    let entrypoint: Vec<_> = entrypoint.iter().map(String::as_str).collect();
    let program =
        Program::in_root(root, &entrypoint).variable(name, value).user(user.parse()?, group.parse()?);
    Ok(words("CMD")?.iter().fold(program, |program, word| program.argument(word)))
}
