//! The facts that are known at a commit, by which a later commit is read with less work.

use git2::Oid;

use super::{document_times::DocumentTimes, tree::Files};
use crate::source::ancestry::Ancestry;

/// A commit that was read, and what was learned from it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) commit: Oid,
    pub(super) ancestry: Ancestry,
    pub(super) files: Files,
    /// The times of the documents that were asked for.
    pub(super) times: DocumentTimes,
}
