//! A Git work tree, and which of its files a commit of it would hold.

use std::path::{Path, PathBuf};

use git2::{Index, Repository};

/// A work tree. Nothing in it counts as ignored if Git refuses to open it, as it does that of another user.
pub(in crate::source) struct WorkTree {
    root: PathBuf,
    git: Option<(Repository, Index)>,
}

impl WorkTree {
    /// Opens the work tree with this root, whose path has no symbolic links.
    pub(in crate::source) fn open(root: &Path) -> Self {
        let open = || {
            let repository = Repository::open(root)?;
            let index = repository.index()?;
            Ok::<_, git2::Error>((repository, index))
        };
        Self { root: root.to_owned(), git: open().ok() }
    }

    /// True if `git add --all` adds nothing of this file or directory: it is ignored, and was not added before.
    pub(in crate::source) fn leaves_out(&self, path: &Path, is_directory: bool) -> bool {
        let Some((repository, index)) = &self.git else { return false };
        let Ok(path) = path.strip_prefix(&self.root) else { return false };
        if !repository.is_path_ignored(path).unwrap_or_default() {
            return false;
        }
        // With a slash at its end, or it is the beginning of other names.
        if is_directory {
            index.find_prefix(path.join("")).is_err()
        } else {
            index.get_path(path, 0).is_none()
        }
    }
}
