//! Reads the branch: it is fetched, or taken as this replica left it while nobody else seems to push.
//!
//! The latter saves a fetch before each push. It is safe, since a push on top of a state that is not the newest one
//! loses its race: the requests are then done again on what is fetched. Such a state answers nothing by itself.

use policies::language::Guardrail;
use tracing::debug;

use super::{branch::Branch, worker::Worker};
use crate::{
    serving::published::Publication,
    source::{SourceError, ancestry::CommitId, reading::Reading},
    sync::loader::Loader,
};

impl Worker {
    /// The newest state of the branch.
    pub(super) fn read(&mut self) -> Result<Branch, SourceError> {
        let before = self.writer.tip();
        let Self { writer, loader, branch, settings, .. } = self;
        let reading = writer.read(|blob| loader.knows(blob))?;
        keep(reading, loader, branch, &settings.server)?;
        self.is_alone = before.is_some() && before == self.writer.tip();
        self.kept()
    }

    /// The branch as the last push or fetch left it; `None` if others seem to push, so that it is to be fetched.
    pub(super) fn assumed(&mut self) -> Option<Branch> {
        // A push to a new branch does not tell where the served one is.
        let is_told = self.settings.write_branch.is_none() && self.unsettled.pushes.is_empty();
        if !is_told || !self.is_alone || self.has_news() {
            return None;
        }
        match self.read_pushed() {
            Ok(mut branch) => {
                branch.is_assumed = true;
                Some(branch)
            }
            Err(error) => {
                debug!(%error, "the branch is fetched, since it cannot be read as it was pushed");
                None
            }
        }
    }

    fn read_pushed(&mut self) -> Result<Branch, SourceError> {
        let Self { writer, loader, branch, settings, .. } = self;
        let reading = writer.read_pushed(|blob| loader.knows(blob))?;
        keep(reading, loader, branch, &settings.server)?;
        self.kept()
    }

    fn kept(&self) -> Result<Branch, SourceError> {
        self.branch.clone().ok_or_else(|| SourceError("the branch was not read".to_owned()))
    }

    /// True if a commit is served that this thread does not know: somebody else has pushed it.
    fn has_news(&self) -> bool {
        let Publication::Serving(published) = self.publisher.publication() else { return false };
        let commit = CommitId::of_revision(published.whole.revision.as_str());
        commit.is_some_and(|commit| !self.writer.knows(commit))
    }
}

/// Takes in what is being read, if anything is.
fn keep(
    reading: Option<Reading<'_>>,
    loader: &mut Loader,
    branch: &mut Option<Branch>,
    server: &Guardrail,
) -> Result<(), SourceError> {
    let Some(reading) = reading else { return Ok(()) };
    let read = loader.read(reading)?;
    let commit = CommitId::of_revision(read.checkout.revision.as_str());
    let commit = commit.ok_or_else(|| SourceError("the branch has no commit".to_owned()))?;
    debug!(%commit, "read the branch to write to it");
    *branch = Some(Branch::new(commit, read, server));
    Ok(())
}
