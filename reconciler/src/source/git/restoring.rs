//! Restores the last good state of an earlier process.

use tracing::warn;

use super::{
    GitSource,
    examining::Unread,
    reading::{GitReading, Origin},
};
use crate::source::{checkout::Checkout, error::SourceError};

impl GitSource {
    /// Reads the last good state of an earlier process by `load`, once and only if there is one. Its signature is not
    /// checked. What cannot be loaded is damaged, and removed.
    pub(in crate::source) fn restore<T>(
        &mut self,
        load: impl FnOnce(Checkout, GitReading<'_>) -> Result<T, SourceError>,
    ) -> Option<T> {
        let commit = self.restorable.take()?;
        // No file is known to a new process.
        let checked = self.check(commit);
        let unused = |error: SourceError| warn!(%error, "what is stored in the state directory is not used");
        let found = match checked {
            Err(refused @ (Unread::Failed(_) | Unread::Refused(_))) => {
                unused(refused.into());
                return None;
            }
            checked => checked.and_then(|()| self.find(commit, |_| false)).map_err(SourceError::from),
        };
        let loaded = found.and_then(|(checkout, found)| {
            load(checkout, GitReading { source: &mut *self, found, origin: Origin::Restored })
        });
        match loaded {
            Ok(loaded) => return Some(loaded),
            Err(error) if self.worker.gave_up() => {
                unused(error);
                return None;
            }
            Err(error) => warn!(%error, "what is stored in the state directory is damaged and removed"),
        }
        if let Err(error) = self.discard() {
            warn!(%error, "the state directory cannot be used");
        }
        None
    }
}
