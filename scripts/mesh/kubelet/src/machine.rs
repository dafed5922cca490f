//! The programs of this machine that do what needs system calls.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};

/// The programs that are called.
const NEEDED: [&str; 7] = ["env", "ip", "mount", "nsenter", "setpriv", "sh", "unshare"];

/// Makes an overlay, as every container does.
const TRY: &str = "mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
    mount -t overlay overlay -o lowerdir=/usr,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root";

/// Fails with what keeps this machine from running Pods: no root, a missing program, a kernel or a sandbox
/// that allows no namespaces.
pub fn check() -> Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "only root can make network namespaces and mounts");
    for program in NEEDED {
        find(program)?;
    }
    let mut namespaces = Command::new(find("unshare")?);
    namespaces.args(["--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "sh", "-c", TRY]);
    run(namespaces).context("this machine allows no namespaces or no overlay")?;
    Ok(())
}

/// The absolute path of a program.
pub(crate) fn find(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian leaves these out of the PATH of who is not root.
    let administration = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut files = std::env::split_paths(&path).chain(administration).map(|place| place.join(program));
    files.find(|file| file.is_file()).with_context(|| format!("the program {program} is not installed"))
}

/// A shell script with its arguments.
pub(crate) fn script(text: &str, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Command> {
    let mut command = Command::new(find("sh")?);
    command.args(["-c", text, "sh"]).args(words).current_dir("/");
    Ok(command)
}

/// Runs a program to its end, and blocks until then. Returns what it printed.
pub(crate) fn run(mut command: Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {}", command.get_program().display()))?;
    printed(output)
}

/// Runs a program to its end.
pub(crate) async fn finish(command: Command) -> Result<String> {
    let mut command = tokio::process::Command::from(command);
    printed(command.kill_on_drop(true).output().await?)
}

fn printed(output: Output) -> Result<String> {
    if !output.status.success() {
        bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
