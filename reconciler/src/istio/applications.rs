//! The applications of a commit, as they are written.

use std::{collections::BTreeMap, sync::Arc};

pub use istio_config::File;
use istio_config::{Limits, file::Mention};

use super::guarded::Guarded;

/// The files of a commit. One that is the same in two commits is read once.
#[derive(Clone, Debug, Default)]
pub struct Applications {
    pub files: Vec<(Arc<str>, Arc<File>)>,
    /// What limits them.
    pub guarded: Guarded,
}

impl Applications {
    /// The documents of applications that count, each with its file.
    pub(super) fn mentions(&self) -> impl Iterator<Item = (&Arc<str>, Mention<'_>)> {
        self.files.iter().flat_map(|(path, file)| {
            counted(file, self.guarded.limits(path)).map(move |mention| (path, mention))
        })
    }

    /// The first file of which nobody knows which applications it has.
    pub fn unreadable(&self) -> Option<&str> {
        self.files.iter().find(|(_, file)| file.is_unreadable()).map(|(path, _)| &**path)
    }

    /// True if there is nothing: more likely a mistake than a wish.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The strictest limit for removals of the guardrails of each namespace's applications, if there is one.
    pub(super) fn max_removals(&self) -> BTreeMap<String, usize> {
        let mut strictest = BTreeMap::<String, usize>::new();
        for (path, file) in &self.files {
            let limits = self.guarded.limits(path);
            let Some(limit) = limits.max_removals else { continue };
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            for mention in counted(file, limits) {
                let found = strictest.entry(mention.namespace.to_owned()).or_insert(limit);
                *found = limit.min(*found);
            }
        }
        strictest
    }
}

/// The documents that count of a file with these limits: one of a namespace that they do not allow counts for nothing.
fn counted(file: &File, limits: Limits) -> impl Iterator<Item = Mention<'_>> {
    file.mentions().filter(move |mention| limits.allows_namespace(mention.namespace))
}
