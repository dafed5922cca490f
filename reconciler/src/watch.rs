//! Notices changes of local files at once. The one file that names `notify`.
//!
//! Events are hints that it is time to look, never the truth: what changed is read anew, and the
//! interval looks again whatever was missed.

use std::path::{Path, PathBuf};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, CreateKind},
};
use tokio::sync::mpsc;

use crate::source::Settings;

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    _watcher: RecommendedWatcher,
}

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    Changed,
    /// A folder came into being; what was written into it before it was watched went unseen.
    FolderCreated,
}

impl Watcher {
    /// Watches what a source reads, where that is on this machine; hints are sent until it is
    /// dropped. A remote repository has nothing to watch: `None`.
    pub fn start(settings: &Settings, hints: mpsc::Sender<Hint>) -> notify::Result<Option<Self>> {
        let paths = watched(settings);
        if paths.is_empty() {
            return Ok(None);
        }
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // A full channel holds a hint already, and one is enough.
            if let Some(hint) = event.as_ref().map_or(Some(Hint::Changed), hint) {
                let _ = hints.try_send(hint);
            }
        })?;
        for (path, mode) in paths {
            watcher.watch(&path, mode)?;
        }
        Ok(Some(Self { _watcher: watcher }))
    }
}

/// The folders to watch. Folders, because a file that is replaced takes its watch with it.
fn watched(settings: &Settings) -> Vec<(PathBuf, RecursiveMode)> {
    match settings {
        Settings::Dir(root) => vec![(root.clone(), RecursiveMode::Recursive)],
        // A push moves `refs/heads/<branch>` or rewrites `packed-refs`. Not `objects`: it is large,
        // and changes before there is anything new to see.
        Settings::Git { repository, .. } => repository.git_dir().map_or_else(Vec::new, |git_dir| {
            let refs = Path::join(&git_dir, "refs");
            vec![(git_dir, RecursiveMode::NonRecursive), (refs, RecursiveMode::Recursive)]
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
