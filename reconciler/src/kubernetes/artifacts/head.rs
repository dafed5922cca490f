//! The newest commit that is served.

use crate::{
    planning::planner::Newest,
    serving::{published::Publication, publisher::Publisher},
    source::{Revision, ancestry::CommitId},
};

/// The newest commit, and its name for people.
#[derive(Clone, Debug)]
pub(super) struct Head {
    revision: Revision,
    pub(super) newest: Newest,
}

impl Head {
    /// The commit that is served; none before the first one.
    pub(super) fn of(publisher: &Publisher) -> Option<Self> {
        let Publication::Serving(published) = publisher.publication() else { return None };
        let revision = published.whole.revision.clone();
        let commit = CommitId::of_revision(revision.as_str())?;
        Some(Self { revision, newest: Newest { commit, withdrawn: published.holds.withdrawn.clone() } })
    }

    pub(super) fn revision(&self) -> &str {
        self.revision.as_str()
    }

    /// What is followed, such as a branch.
    pub(super) fn branch(&self) -> &str {
        self.revision().rsplit_once('@').map_or("", |(branch, _)| branch)
    }
}
