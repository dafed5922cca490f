//! The halt file: while it exists, nothing is injected, whatever Git says.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tracing::{error, info, warn};

use crate::{
    io_reason::io_reason,
    serving::gate::{Gate, Halter},
    shutdown::Shutdown,
    source::watch::{Hints, Watcher},
};

/// The interval at which the file is looked for when no change was noticed.
const POLL: Duration = Duration::from_millis(500);

/// Follows the file, and halts and resumes through the gate.
#[derive(Debug)]
pub struct HaltFile {
    path: PathBuf,
    gate: Arc<Gate>,
    watcher: Option<Watcher>,
    hints: Arc<Hints>,
    /// What the gate was told last: true if the file exists.
    told: Option<bool>,
    /// The error of the last check, if it failed.
    unknown: Option<ErrorKind>,
}

impl HaltFile {
    /// Checks for the file for the first time, before anything is served.
    pub fn new(path: PathBuf, gate: Arc<Gate>) -> Self {
        let hints = Arc::<Hints>::default();
        let watcher = Watcher::of_file(&path, Arc::clone(&hints));
        let mut file = Self { path, gate, watcher, hints, told: None, unknown: None };
        file.check();
        if file.unknown.is_some() && file.gate.halt(Halter::File, true) {
            // There is no state yet to stay as it is, and somebody may have halted before this start.
            warn!(path = %file.path.display(), "halted until it is known whether the halt file exists");
        }
        file
    }

    /// Checks for the file until shutdown.
    pub async fn follow(mut self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                () = self.hints.noticed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            self.check();
        }
    }

    fn check(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.renew();
        }
        let path = self.path.display();
        let unknown = match exists(&self.path) {
            Ok(exists) => {
                // The gate may have a publication under way, so it is asked only after a change.
                if self.told != Some(exists) && self.gate.halt(Halter::File, exists) {
                    if exists {
                        warn!(%path, "halted: every snapshot is empty while this file exists");
                    } else if self.gate.is_halted() {
                        info!(%path, "the halt file is gone; a halt by HTTP goes on");
                    } else {
                        info!(%path, "no longer halted: what is in force is served again");
                    }
                }
                self.told = Some(exists);
                None
            }
            // Nobody has asked to halt or to resume.
            Err(error) => {
                if self.unknown != Some(error.kind()) {
                    error!(error = io_reason(&error), %path, "cannot tell whether the halt file exists; all stays as it is");
                }
                Some(error.kind())
            }
        };
        self.unknown = unknown;
    }
}

/// True if the file exists. A symbolic link counts even if its target does not exist.
fn exists(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        // The latter: a part of the path is not a directory.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::{task::spawn_blocking, time::timeout};

    use super::HaltFile;
    use crate::serving::{gate::Gate, turn::tests::Slow};

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_file_that_is_as_it_was_waits_for_no_publication() {
        let (directory, gate) = (tempfile::tempdir().unwrap(), Arc::<Gate>::default());
        let mut file = HaltFile::new(directory.path().join("halt"), Arc::clone(&gate));
        let slow = Slow::begin(&gate, "main@sha1:1").await;
        timeout(Duration::from_secs(5), spawn_blocking(move || file.check()))
            .await
            .expect("it waits")
            .unwrap();
        slow.end().await;
    }
}
