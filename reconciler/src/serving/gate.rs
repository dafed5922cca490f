//! The way out: while a file exists, every snapshot is empty.
//!
//! It needs neither Git nor a reconcile that comes to its end: what is in force is kept aside here, and
//! nothing is published in its place.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use policies::{Catalog, Digest};
use tracing::{error, info, warn};

use super::{published::Published, publisher::Publisher};
use crate::{
    clock::now,
    shutdown::Shutdown,
    source::{
        Revision,
        ancestry::Lineage,
        watch::{Hints, Watcher},
    },
};

/// How often the file is looked for although nothing was noticed.
const POLL: Duration = Duration::from_millis(500);

/// Stands before the publisher and lets through what is in force, or while halted nothing.
#[derive(Debug)]
pub struct Switch {
    publisher: Arc<Publisher>,
    aside: Mutex<Aside>,
}

#[derive(Debug)]
struct Aside {
    halted: bool,
    in_force: Option<Arc<Published>>,
    /// Why nothing is in force.
    reason: String,
}

impl Switch {
    /// Lets everything through.
    pub fn new(publisher: Arc<Publisher>) -> Self {
        let reason = "nothing has been loaded yet".to_owned();
        Self { publisher, aside: Mutex::new(Aside { halted: false, in_force: None, reason }) }
    }

    /// What this stands before.
    pub fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// What is in force, halted or not.
    pub fn in_force(&self) -> Option<Arc<Published>> {
        self.lock().in_force.clone()
    }

    /// This is in force from now on; the number of scopes whose bytes changed.
    pub fn publish(&self, published: Published) -> usize {
        let mut aside = self.lock();
        let published = Arc::new(published);
        aside.in_force = Some(Arc::clone(&published));
        self.publisher.publish(if aside.halted { Arc::new(aside.emptied()) } else { published })
    }

    /// Says why nothing is in force; what is in force already stays.
    pub fn not_yet(&self, reason: String) {
        let mut aside = self.lock();
        aside.reason.clone_from(&reason);
        self.publisher.not_yet(reason);
    }

    /// Empties every snapshot, or brings back what is in force. Whether that is new.
    pub fn halt(&self, halted: bool) -> bool {
        let mut aside = self.lock();
        if std::mem::replace(&mut aside.halted, halted) == halted {
            return false;
        }
        match &aside.in_force {
            _ if halted => {
                self.publisher.publish(aside.emptied());
            }
            Some(in_force) => {
                self.publisher.publish(Arc::clone(in_force));
            }
            None => self.publisher.withdraw(aside.reason.clone()),
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Aside> {
        // Whoever held it when it panicked had changed one field or none.
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside {
    /// What is in force without what it says. The revision stays: the source has not changed.
    fn emptied(&self) -> Published {
        let (revision, lineage) = match &self.in_force {
            Some(in_force) => (in_force.revision.clone(), in_force.lineage.clone()),
            None => (Revision::new(format!("halt@{}", Digest::of(b""))), Lineage::default()),
        };
        let withdrawn = self.in_force.as_ref().and_then(|in_force| in_force.withdrawn.clone());
        let catalog = Arc::<Catalog>::default();
        Published { revision, lineage, catalog, halted: true, withdrawn, at: now() }
    }
}

/// The file that halts.
#[derive(Debug)]
pub struct HaltFile {
    path: PathBuf,
    switch: Arc<Switch>,
    watcher: Option<Watcher>,
    hints: Arc<Hints>,
    /// The error by which the last look failed, if it did.
    unknown: Option<ErrorKind>,
}

impl HaltFile {
    /// Looks for the file for the first time: if it is there, nothing is ever served before.
    pub fn new(path: PathBuf, switch: Arc<Switch>) -> Self {
        let hints = Arc::<Hints>::default();
        let watcher = Watcher::of_file(&path, Arc::clone(&hints));
        let mut file = Self { path, switch, watcher, hints, unknown: None };
        file.look();
        if file.unknown.is_some() && file.switch.halt(true) {
            // There is no state yet to stay as it is, and somebody may have halted before this start.
            warn!(path = %file.path.display(), "halted until it is known whether the halt file exists");
        }
        file
    }

    /// Looks for it again and again, until shutdown.
    pub async fn follow(mut self, mut shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                () = self.hints.noticed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            self.look();
        }
    }

    fn look(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.renew();
        }
        let path = self.path.display();
        let unknown = match exists(&self.path) {
            Ok(exists) => {
                if self.switch.halt(exists) {
                    if exists {
                        warn!(%path, "halted: every snapshot is empty while this file exists");
                    } else {
                        info!(%path, "no longer halted: what is in force is served again");
                    }
                }
                None
            }
            // Neither to halt nor to go on is what somebody asked for.
            Err(error) => {
                if self.unknown != Some(error.kind()) {
                    error!(%error, %path, "cannot tell whether the halt file exists; all stays as it is");
                }
                Some(error.kind())
            }
        };
        self.unknown = unknown;
    }
}

/// Whether something is there, be it a link that leads nowhere: somebody put it there.
fn exists(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        // Or a part of the path is no folder.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}
