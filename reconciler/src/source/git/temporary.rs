//! Temporary directories. Those of processes that were killed are removed by the next one.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::Once,
    time::Duration,
};

use tempfile::TempDir;
use tracing::{info, warn};

/// The beginning of their names.
const PREFIX: &str = "hfi-git-";
/// The file that is locked while the directory is in use. The system releases the lock when the process ends.
const IN_USE: &str = "in-use";
/// The age from which on a directory that is not locked is one of a dead process, and no new one.
const OLD: Duration = Duration::from_secs(60);

/// A temporary directory, removed with this value.
#[derive(Debug)]
pub(super) struct Temporary {
    directory: TempDir,
    _lock: Option<File>,
}

impl Temporary {
    /// A new directory. The first of a process removes those that nobody uses any more.
    pub(super) fn new() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let lock = lock(directory.path(), File::try_lock)?;
        static SWEPT: Once = Once::new();
        SWEPT.call_once(|| {
            let parent = directory.path().parent().unwrap_or(directory.path());
            if let Err(error) = sweep(parent, directory.path(), OLD, |dead| fs::remove_dir_all(dead)) {
                warn!(%error, "temporary directories of earlier processes may be left");
            }
        });
        Ok(Self { directory, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Removes all that is in it.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.path())? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false if entry.file_name() == IN_USE => {}
                false => fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }
}

/// Marks a directory as one in use. Where files cannot be locked it has no mark, and no other process removes it.
fn lock(directory: &Path, try_lock: impl Fn(&File) -> Result<(), TryLockError>) -> io::Result<Option<File>> {
    let path = directory.join(IN_USE);
    let file = File::create(&path)?;
    if let Err(error) = try_lock(&file) {
        let directory = directory.display();
        warn!(%error, %directory, "cannot lock a file: the directory is left behind if this process is killed");
        fs::remove_file(path)?;
        return Ok(None);
    }
    Ok(Some(file))
}

/// Removes what dead processes of the user of `own` left in a directory.
fn sweep(
    parent: &Path,
    own: &Path,
    age: Duration,
    remove: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let user = fs::symlink_metadata(own)?.uid();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && entry.path() != own && is_left(&entry.path(), user, age).unwrap_or(false) {
            let directory = entry.path();
            match remove(&directory) {
                Ok(()) => {
                    info!(directory = %directory.display(), "removed a directory of a process that was killed")
                }
                // Another process has removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    warn!(%error, directory = %directory.display(), "a directory cannot be removed")
                }
            }
        }
    }
    Ok(())
}

/// True for a directory of this user that no process uses.
fn is_left(directory: &Path, user: u32, age: Duration) -> io::Result<bool> {
    let of_directory = fs::symlink_metadata(directory)?;
    let lock = directory.join(IN_USE);
    let of_lock = fs::symlink_metadata(&lock)?;
    let is_old = of_lock.modified()?.elapsed().is_ok_and(|elapsed| elapsed >= age);
    let is_plain = of_directory.is_dir() && of_lock.is_file() && of_directory.uid() == user;
    Ok(is_plain && is_old && File::open(lock)?.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File, TryLockError},
        io,
        os::unix::fs::symlink,
        path::Path,
        time::Duration,
    };

    use super::{IN_USE, lock, sweep};

    #[test]
    fn only_what_a_dead_process_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        for name in ["hfi-git-own", "hfi-git-dead", "hfi-git-alive", "hfi-git-other", "hfi-dead", "elsewhere"]
        {
            fs::create_dir_all(at(name).join("objects/pack")).unwrap();
            if name != "hfi-git-other" {
                fs::write(at(name).join(IN_USE), "").unwrap();
            }
        }
        symlink(at("elsewhere"), at("hfi-git-link")).unwrap();
        fs::write(at("hfi-git-file"), "").unwrap();
        let alive = File::open(at("hfi-git-alive").join(IN_USE)).unwrap();
        alive.try_lock().unwrap();
        let names = || {
            let entries = fs::read_dir(parent.path()).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let all = names();
        let remove = |dead: &Path| fs::remove_dir_all(dead);
        sweep(parent.path(), &at("hfi-git-own"), Duration::from_secs(60), remove).unwrap();
        assert_eq!(names(), all, "what is new may not be locked yet");
        sweep(parent.path(), &at("hfi-git-own"), Duration::ZERO, remove).unwrap();
        assert_eq!(names(), all.into_iter().filter(|name| name != "hfi-git-dead").collect::<Vec<_>>());
        assert!(at("elsewhere").join(IN_USE).exists());
    }
    #[test]
    fn one_that_cannot_be_removed_does_not_keep_the_others() {
        let parent = tempfile::tempdir().unwrap();
        let all = ["a", "b", "c"].map(|name| parent.path().join(format!("hfi-git-{name}")));
        for directory in &all {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join(IN_USE), "").unwrap();
        }
        let tried = std::cell::RefCell::new(Vec::new());
        let remove = |dead: &Path| {
            tried.borrow_mut().push(dead.to_owned());
            Err(io::ErrorKind::PermissionDenied.into())
        };
        sweep(parent.path(), parent.path(), Duration::ZERO, remove).unwrap();
        let mut tried = tried.into_inner();
        tried.sort();
        assert_eq!(tried, all);
    }

    #[test]
    fn where_no_file_can_be_locked_none_is_marked() {
        let directory = tempfile::tempdir().unwrap();
        let fails = |_: &File| Err(TryLockError::Error(io::ErrorKind::Unsupported.into()));
        assert!(lock(directory.path(), fails).unwrap().is_none());
        assert!(!directory.path().join(IN_USE).exists());
        assert!(lock(directory.path(), File::try_lock).unwrap().is_some());
    }
}
