//! The moment at which a container's program begins.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::Pid;
use tokio::process::Child;
use tokio::time::Instant;

/// Mounts take milliseconds; on a busy machine some more.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Waits until the program has its root and returns its process id on this machine. None if it has ended.
pub(super) async fn init_of(child: &mut Child) -> Result<Option<Pid>> {
    let own = identity(Path::new("/"));
    let begun = Instant::now();
    // Nobody tells of a change of root: look again and again.
    while begun.elapsed() < PATIENCE {
        let Some(id) = child.id().filter(|_| child.try_wait().is_ok_and(|ended| ended.is_none())) else {
            return Ok(None);
        };
        let init = only_child(id);
        let root = init.and_then(|init| identity(&proc(init).join("root/.")));
        if root.is_some() && root != own {
            return Ok(init.and_then(|init| Pid::from_raw(init.cast_signed())));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    bail!("its program does not run after {PATIENCE:?}")
}

/// The process that `unshare` has forked.
fn only_child(id: u32) -> Option<u32> {
    let children = std::fs::read_to_string(proc(id).join(format!("task/{id}/children"))).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// A directory wherever it is mounted.
fn identity(directory: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(directory).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn proc(id: u32) -> PathBuf {
    Path::new("/proc").join(id.to_string())
}
