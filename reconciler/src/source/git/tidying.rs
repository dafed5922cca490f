//! Puts the clone in order after a change is served.

use git2::Repository as BareClone;
use tracing::warn;

use super::{GitSource, job::Job, reason::reason};

impl GitSource {
    /// Does what nobody waits for.
    pub(in crate::source) fn tidy(&mut self) {
        self.join_packs();
        self.worker.prepare(&self.access);
    }

    /// Joins the packs that were fetched, once there are many. The commits that are good or may be restored stay, and
    /// by its ref the one that was fetched last, good or not: the next fetch asks for what is newer than that.
    fn join_packs(&mut self) {
        let known = self.known.as_ref().map(|known| known.commit);
        let kept = [self.good, known, self.restorable, self.storage.saved()];
        let Some(job) = self.packs.join(self.clone.path(), kept.into_iter().flatten()) else { return };
        match self.worker.run(Job::Join(job), self.clone.path(), &self.access) {
            Ok(base) => self.packs.joined(base),
            Err(error) => {
                self.packs.failed(self.clone.path());
                warn!(%error, "the packs of the clone cannot be joined");
            }
        }
        // What is removed is still open.
        match BareClone::open_bare(self.clone.path()) {
            Ok(clone) => self.clone = clone,
            Err(error) => warn!(error = reason(&error), "the clone cannot be opened again"),
        }
    }
}
