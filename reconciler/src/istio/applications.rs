//! The applications of a commit, as they are written.

use std::sync::Arc;

pub use istio_config::File;
use istio_config::{Document, file::Mention};

use super::guarded::Guarded;

/// The files of a commit. One that is the same in two commits is read once.
#[derive(Clone, Debug, Default)]
pub struct Applications {
    pub files: Vec<(Arc<str>, Arc<File>)>,
    /// What limits them.
    pub guarded: Guarded,
}

impl Applications {
    /// The documents of applications, each with its file.
    pub(super) fn mentions(&self) -> impl Iterator<Item = (&Arc<str>, Mention<'_>)> {
        self.files.iter().flat_map(|(path, file)| file.mentions().map(move |mention| (path, mention)))
    }

    /// The first file of which nobody knows which applications it has.
    pub fn unreadable(&self) -> Option<&str> {
        self.files.iter().find(|(_, file)| file.is_unreadable()).map(|(path, _)| &**path)
    }

    /// True if there is nothing: more likely a mistake than a wish.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The strictest limit for removals of the guardrails of a namespace's applications.
    pub(super) fn max_removals(&self, namespace: &str) -> Option<usize> {
        let is_there = |document: &Document| match document {
            Document::Application(found) => found.namespace.as_str() == namespace,
            Document::Removal { namespace: found, .. } => found.as_str() == namespace,
        };
        let files = self.files.iter().filter(|(_, file)| file.documents().iter().any(is_there));
        let limits = files.filter_map(|(path, _)| self.guarded.limits(path).max_removals);
        limits.min().map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
    }
}
