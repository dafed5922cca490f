//! A person at a terminal of the node, who has kubectl and hfi and may do everything.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, ensure};
use harness::paths;
use tokio::process::Command;
use world::World;

/// Types commands into a shell that stands in the checkout, and returns what they print.
pub(crate) async fn types(world: &World, commands: &str) -> Result<String> {
    types_in(&paths::workspace(), world, commands).await
}

/// The same in another directory.
pub(crate) async fn types_in(directory: &Path, world: &World, commands: &str) -> Result<String> {
    let output = shell(directory, world, commands)?.output().await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{commands}\n{}{}", text(&output.stdout), text(&output.stderr));
    Ok(text(&output.stdout))
}

/// The shell, which goes on until it is dropped.
pub(crate) fn shell(directory: &Path, world: &World, commands: &str) -> Result<Command> {
    let home = world.directory().join("home");
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", commands]).current_dir(directory);
    command.env("PATH", path(&home)?).env("HOME", &home).env("KUBECONFIG", world.kubeconfig());
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// Where a shell finds its programs.
fn path(home: &Path) -> Result<OsString> {
    let programs = home.join("bin");
    fs::create_dir_all(&programs)?;
    for (name, file) in [("kubectl", paths::world_program("kubernetes", "kubectl")?), ("hfi", paths::hfi()?)]
    {
        let link = programs.join(name);
        if !link.is_symlink() {
            symlink(file, link)?;
        }
    }
    let others = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&others)))?)
}
