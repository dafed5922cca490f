//! Notices changes of local files at once. The one file that names `notify`.
//!
//! Events are hints that it is time to look, never the truth: what changed is read anew, and the
//! interval looks again whatever was missed.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind},
};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::source::Settings;

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    watcher: RecommendedWatcher,
    folders: Vec<Folder>,
}

/// A folder to watch. Folders, because a file that is replaced takes its watch with it.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    mode: RecursiveMode,
    /// The device and inode that are watched, if any.
    watched: Option<(u64, u64)>,
}

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    Changed,
    /// A folder came into being; what was written into it before it was watched went unseen.
    FolderCreated,
}

impl Watcher {
    /// Prepares to watch what a source reads; hints are sent once it is [renewed](Self::renew).
    /// `None` if there is nothing on this machine to watch, or no way to.
    pub fn new(settings: &Settings, hints: mpsc::Sender<Hint>) -> Option<Self> {
        let folders = folders(settings);
        if folders.is_empty() {
            return None;
        }
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if let Some(hint) = event.as_ref().map_or(Some(Hint::Changed), hint) {
                // A full channel holds a hint already, and one is enough.
                let _ = hints.try_send(hint);
            }
        });
        let watcher =
            watcher.inspect_err(|error| warn!(%error, "changes go unnoticed until the interval is over"));
        Some(Self { watcher: watcher.ok()?, folders })
    }

    /// Sees to it that what stands at the paths now is what is watched: a folder that is replaced
    /// takes its watch with it. To be called before each look, so that nothing falls between.
    pub fn renew(&mut self) {
        for Folder { path, mode, watched } in &mut self.folders {
            let present = fs::metadata(&*path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
            if present == *watched {
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

/// What an event hints at. Our own reading is no change.
fn hint(event: &Event) -> Option<Hint> {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Hint::Changed),
        EventKind::Access(_) => None,
        EventKind::Create(CreateKind::Folder) => Some(Hint::FolderCreated),
        _ => Some(Hint::Changed),
    }
}
