//! The applications of a commit, as they are written.

use std::sync::Arc;

pub use istio_config::File;

/// The files of a commit. One that is the same in two commits is read once.
#[derive(Clone, Debug, Default)]
pub struct Applications(pub Vec<(Arc<str>, Arc<File>)>);

impl Applications {
    /// The first file of which nobody knows which applications it has.
    pub(super) fn unreadable(&self) -> Option<&str> {
        self.0.iter().find(|(_, file)| file.is_unreadable()).map(|(path, _)| &**path)
    }

    /// True if there is nothing: more likely a mistake than a wish.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
