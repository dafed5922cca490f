//! Begins the clone again where it is damaged.

use git2::Oid;

use super::{GitSource, examining::Unread, packs::Packs, worker::Worker};
use crate::source::error::SourceError;

impl GitSource {
    /// True if the clone may be begun again for a commit that is damaged in it: once, and not if the repository itself
    /// is damaged. Then the last good commit would be lost for nothing.
    pub(super) fn may_renew_for(&mut self, commit: Oid) -> bool {
        self.renewed_for.replace(commit) != Some(commit) && self.is_repository_sound()
    }

    /// True if the repository can be read by a new clone.
    fn is_repository_sound(&self) -> bool {
        let Self { repository, target, path, access, worker, .. } = self;
        let other = Self::open(repository.clone(), target.clone(), path.clone(), access.clone(), None);
        let Ok(mut other) = other else { return false };
        other.worker = Worker::ended_by(worker.abort());
        let tip = other.fetch_into_clone();
        tip.is_ok_and(|tip| !matches!(other.check(tip), Err(Unread::Damaged(_) | Unread::Failed(_))))
    }

    /// Begins again with an empty clone.
    pub(super) fn discard(&mut self) -> Result<(), SourceError> {
        self.clone = self.storage.renew()?;
        (self.known, self.good, self.packs, self.checked) = (None, None, Packs::default(), None);
        Ok(())
    }
}
