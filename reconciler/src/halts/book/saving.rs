//! What the disk has of the halts. A disk that hangs delays nothing but this.

use std::time::Duration;

use tokio::time::timeout;
use tracing::error;

use super::{Book, State};
use crate::{
    halts::{halt::HaltId, store::Stored},
    io_reason::io_reason,
};

/// The longest that somebody waits for the disk, who may go on without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the disk has.
#[derive(Debug)]
pub(super) struct Saved {
    content: Stored,
    /// The reason why the last attempt failed.
    failure: Option<String>,
}

impl Saved {
    pub(super) fn new(content: Stored) -> Self {
        Self { content, failure: None }
    }

    /// True if the disk has a halt.
    pub(super) fn has(&self, id: &HaltId) -> bool {
        self.content.ledger.has(id)
    }

    /// The reason why the disk does not have all that holds.
    pub(super) fn failure(&self) -> String {
        match &self.failure {
            Some(reason) => format!("the state directory does not take the halt: {reason}"),
            None => "the state directory has not stored the halt yet; a restart of this replica may undo it"
                .to_owned(),
        }
    }
}

impl Book {
    /// True if halts are stored somewhere.
    pub(super) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// Stores what is known now, unless that is stored; false if that failed. Blocks for the disk, as long as that
    /// takes. One call at a time.
    pub fn save(&self) -> bool {
        let Some((store, content)) = self.store.as_ref().zip(self.unsaved()) else { return true };
        let saved = store.save(&content).map_err(|error| io_reason(&error));
        let is_saved = saved.is_ok();
        match saved {
            Ok(()) => self.lock().saved = Saved::new(content),
            Err(reason) => {
                error!(reason, "cannot store the halts in the state directory; it is tried again");
                self.lock().saved.failure = Some(reason);
            }
        }
        self.stored.send_replace(());
        is_saved
    }

    /// What is to be stored; `None` if the disk has all, or there is none.
    fn unsaved(&self) -> Option<Stored> {
        let state = self.lock();
        let State { ledger, in_git, saved, .. } = &*state;
        let is_saved = (ledger, in_git) == (&saved.content.ledger, &saved.content.in_git);
        (self.has_store() && !is_saved).then(|| Stored::new(ledger.clone(), in_git.clone()))
    }

    /// Waits until the disk has what is known or does not take it, but never for long.
    pub async fn until_saved(&self) {
        let mut stored = self.stored.subscribe();
        let is_open = || self.unsaved().is_some() && self.lock().saved.failure.is_none();
        let tried = async { while is_open() && stored.changed().await.is_ok() {} };
        // Who asks is told how far it is.
        let _ = timeout(PATIENCE, tried).await;
    }
}
