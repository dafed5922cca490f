//! Notices changes of local files at once. The one file that names `notify`.
//!
//! Events are hints to read again, never the truth: the files are read again, and the interval catches what
//! was missed.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind},
};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::{names::may_matter, settings::Settings};

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    watcher: RecommendedWatcher,
    folders: Vec<Folder>,
    /// Set when a watched directory may have been replaced since the last read. Each watcher has its own, which
    /// tells it that its watch is dead.
    lost: Arc<AtomicBool>,
}

/// A directory to watch. A watch on a file would be lost when the file is replaced.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    mode: RecursiveMode,
    /// The device and inode that are watched, if any.
    watched: Option<(u64, u64)>,
}

/// Changes noticed since the last read. One read sees all of them.
#[derive(Debug, Default)]
pub struct Hints {
    noticed: Notify,
    folder_created: AtomicBool,
}

impl Hints {
    /// Waits until a change is noticed.
    pub async fn noticed(&self) {
        self.noticed.notified().await;
    }

    /// Forgets the noticed changes: the read that follows sees them.
    pub fn take_noticed(&self) {
        let _ = pin!(self.noticed.notified()).poll(&mut Context::from_waker(Waker::noop()));
    }

    /// True if a directory was created since the last call: files written into it before it was watched were
    /// not noticed.
    pub fn take_folder_created(&self) -> bool {
        self.folder_created.swap(false, Ordering::Relaxed)
    }

    /// Notes that events were lost.
    fn notice_loss(&self, lost: &AtomicBool) {
        self.folder_created.store(true, Ordering::Relaxed);
        lost.store(true, Ordering::Relaxed);
        self.noticed.notify_one();
    }

    fn notice(&self, event: &Event, folders: &[PathBuf], matters: fn(&Path) -> bool, lost: &AtomicBool) {
        match event.kind {
            // Our own reading is no change.
            EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write) => return,
            EventKind::Create(CreateKind::Folder) => self.folder_created.store(true, Ordering::Relaxed),
            EventKind::Modify(ModifyKind::Name(_)) if event.paths.iter().any(|path| path.is_dir()) => {
                self.folder_created.store(true, Ordering::Relaxed);
                lost.store(true, Ordering::Relaxed);
            }
            EventKind::Remove(_) | EventKind::Modify(_)
                if event.paths.iter().any(|path| folders.contains(path)) =>
            {
                lost.store(true, Ordering::Relaxed);
            }
            _ if !event.paths.is_empty() && !event.paths.iter().any(|path| matters(path)) => return,
            _ => {}
        }
        self.noticed.notify_one();
    }
}

impl Watcher {
    /// Prepares to watch the files of a source; hints come after the first [`renew`](Self::renew). `None` if the
    /// source is not on this machine, or watching is impossible.
    pub fn new(settings: &Settings, hints: Arc<Hints>) -> Option<Self> {
        Self::of(folders(settings), hints, may_matter)
    }

    /// Prepares to watch the directory of a file that comes and goes.
    pub fn of_file(path: &Path, hints: Arc<Hints>) -> Option<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let path = parent.unwrap_or(Path::new(".")).to_owned();
        let folder = Folder { path, mode: RecursiveMode::NonRecursive, watched: None };
        Self::of(vec![folder], hints, |_| true)
    }

    /// Prepares to watch the files directly in a directory.
    pub fn of_folder(path: PathBuf, hints: Arc<Hints>) -> Option<Self> {
        let folder = Folder { path, mode: RecursiveMode::NonRecursive, watched: None };
        Self::of(vec![folder], hints, |_| true)
    }

    fn of(folders: Vec<Folder>, hints: Arc<Hints>, matters: fn(&Path) -> bool) -> Option<Self> {
        if folders.is_empty() {
            return None;
        }
        let paths: Vec<_> = folders.iter().map(|folder| folder.path.clone()).collect();
        let lost = Arc::<AtomicBool>::default();
        let noticed_lost = Arc::clone(&lost);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| match event {
            Ok(event) if !event.need_rescan() => hints.notice(&event, &paths, matters, &noticed_lost),
            Ok(_) | Err(_) => hints.notice_loss(&noticed_lost),
        });
        let watcher =
            watcher.inspect_err(|error| warn!(%error, "changes go unnoticed until the interval is over"));
        Some(Self { watcher: watcher.ok()?, folders, lost })
    }

    /// Watches what is at the paths now: a directory that is replaced takes its watch with it. Called before each
    /// read, so that no change is missed.
    pub fn renew(&mut self) {
        // A folder that comes back can have the inode of the one that went.
        let lost = self.lost.swap(false, Ordering::Relaxed);
        for Folder { path, mode, watched } in &mut self.folders {
            let present = fs::metadata(&*path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
            if present == *watched && !lost {
                continue;
            }
            let _ = self.watcher.unwatch(path);
            *watched = present.filter(|_| match self.watcher.watch(path, *mode) {
                Ok(()) => true,
                Err(error) => {
                    warn!(%error, path = %path.display(), "changes go unnoticed until the interval is over");
                    false
                }
            });
            debug!(path = %path.display(), watched = watched.is_some(), "watching");
        }
    }
}

fn folders(settings: &Settings) -> Vec<Folder> {
    let folder = |path, mode| Folder { path, mode, watched: None };
    match settings {
        Settings::Dir(root) => vec![folder(root.clone(), RecursiveMode::Recursive)],
        // A push moves `refs/heads/<branch>` or rewrites `packed-refs`. Not `objects`: it is large,
        // and changes before there is anything new to see.
        Settings::Git { repository, .. } => repository.git_dir().map_or_else(Vec::new, |git_dir| {
            let refs = Path::join(&git_dir, "refs");
            vec![folder(git_dir, RecursiveMode::NonRecursive), folder(refs, RecursiveMode::Recursive)]
        }),
    }
}
