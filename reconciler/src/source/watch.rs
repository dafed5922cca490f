//! Notices changes of local files at once. The one module that names `notify`.
//!
//! Events are hints to read again, never the truth: the files are read again, and the interval catches what
//! was missed.

use std::{
    collections::BTreeMap,
    fs, mem,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

use notify::{
    Error, ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind},
};
use tokio::sync::Notify;
use tracing::{debug, warn};

use super::{
    settings::Settings,
    watched::{Places, Subject},
};
use crate::io_reason::io_reason;

/// The most looks at the places until they stay the same: links may be swapped meanwhile.
const LOOKS: usize = 3;

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    watcher: RecommendedWatcher,
    subject: Subject,
    /// The places that are watched, for the events to be told by.
    places: Arc<Mutex<Places>>,
    /// The device and inode at each path that is watched.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    /// Set when a watched directory may have been replaced since the last read. Each watcher has its own, which
    /// tells it that its watch is dead.
    lost: Arc<AtomicBool>,
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

    fn notice(&self, event: &Event, places: &Places, lost: &AtomicBool) {
        match event.kind {
            // Our own reading is no change.
            EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write) => return,
            EventKind::Create(CreateKind::Folder) if event.paths.iter().any(|path| places.matters(path)) => {
                self.folder_created.store(true, Ordering::Relaxed);
            }
            EventKind::Modify(ModifyKind::Name(_))
                if event.paths.iter().any(|path| path.is_dir() && places.matters(path)) =>
            {
                self.folder_created.store(true, Ordering::Relaxed);
                lost.store(true, Ordering::Relaxed);
            }
            EventKind::Remove(_) | EventKind::Modify(_)
                if event.paths.iter().any(|path| places.are_at(path)) =>
            {
                lost.store(true, Ordering::Relaxed);
            }
            _ if !event.paths.is_empty() && !event.paths.iter().any(|path| places.matters(path)) => return,
            _ => {}
        }
        self.noticed.notify_one();
    }
}

impl Watcher {
    /// Prepares to watch the files of a source; hints come after the first [`renew`](Self::renew). `None` if the
    /// source is not on this machine, or watching is impossible.
    pub fn new(settings: &Settings, hints: Arc<Hints>) -> Option<Self> {
        match settings {
            Settings::Dir(root) => Self::of(Subject::Tree(root.clone()), hints),
            Settings::Git { repository, .. } => Self::of(Subject::Refs(repository.git_dir()?), hints),
        }
    }

    /// Prepares to watch the directory of a file that comes and goes.
    pub fn of_file(path: &Path, hints: Arc<Hints>) -> Option<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self::of_folder(parent.unwrap_or(Path::new(".")).to_owned(), hints)
    }

    /// Prepares to watch the files directly in a directory.
    pub fn of_folder(path: PathBuf, hints: Arc<Hints>) -> Option<Self> {
        Self::of(Subject::Directory(path), hints)
    }

    fn of(subject: Subject, hints: Arc<Hints>) -> Option<Self> {
        let (places, lost) = (Arc::<Mutex<Places>>::default(), Arc::<AtomicBool>::default());
        let (noticed_places, noticed_lost) = (Arc::clone(&places), Arc::clone(&lost));
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| match event {
            Ok(event) if !event.need_rescan() => {
                let places = noticed_places.lock().unwrap_or_else(PoisonError::into_inner);
                hints.notice(&event, &places, &noticed_lost);
            }
            Ok(_) | Err(_) => hints.notice_loss(&noticed_lost),
        });
        let watcher = watcher.inspect_err(|error| unnoticed(error, None));
        Some(Self { watcher: watcher.ok()?, subject, places, watched: BTreeMap::new(), lost })
    }

    /// True if it watches refs, each of which changes in one step.
    pub fn is_of_refs(&self) -> bool {
        matches!(self.subject, Subject::Refs(_))
    }

    /// Watches what is at the paths now: a directory that is replaced takes its watch with it, and a link that is
    /// swapped leads elsewhere. Called before each read, so that no change is missed.
    pub fn renew(&mut self) {
        // A folder that comes back can have the inode of the one that went.
        if self.lost.swap(false, Ordering::Relaxed) {
            for path in mem::take(&mut self.watched).into_keys() {
                let _ = self.watcher.unwatch(&path);
            }
        }
        for _ in 0..LOOKS {
            let places = self.subject.places();
            let is_new = {
                let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
                mem::replace(&mut *known, places.clone()) != places
            };
            self.watch(&places);
            // What was swapped before it was watched shows in another look.
            if !is_new {
                return;
            }
        }
    }

    fn watch(&mut self, places: &Places) {
        let gone: Vec<_> = self.watched.keys().filter(|path| !places.are_at(path)).cloned().collect();
        for path in gone {
            self.watched.remove(&path);
            let _ = self.watcher.unwatch(&path);
        }
        for (path, is_recursive) in places.iter() {
            let present = fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
            if present.is_some() && self.watched.get(path) == present.as_ref() {
                continue;
            }
            if self.watched.remove(path).is_some() {
                let _ = self.watcher.unwatch(path);
            }
            let Some(present) = present else { continue };
            let mode = if is_recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            match self.watcher.watch(path, mode) {
                Ok(()) => {
                    self.watched.insert(path.to_owned(), present);
                }
                Err(error) => unnoticed(&error, Some(path)),
            }
            debug!(path = %path.display(), watched = self.watched.contains_key(path), "watching");
        }
    }
}

fn unnoticed(error: &Error, path: Option<&Path>) {
    let reason = match &error.kind {
        ErrorKind::MaxFilesWatch => {
            "this user has as many watches as it may; raise the sysctl fs.inotify.max_user_watches".to_owned()
        }
        ErrorKind::Io(error) => io_reason(error),
        ErrorKind::PathNotFound | ErrorKind::WatchNotFound => "it does not exist".to_owned(),
        ErrorKind::Generic(_) | ErrorKind::InvalidConfig(_) => "it cannot be watched".to_owned(),
    };
    let path = path.map(|path| path.display().to_string());
    warn!(reason, path, "changes go unnoticed until the interval is over");
}
