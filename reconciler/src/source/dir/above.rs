//! The directories above the one that is read, whose guardrails and halts bind it too.
//!
//! In a Git work tree they go up to its root, as they do where the repository is served. Elsewhere nothing says where
//! a tree of policies begins: in a copy of it, such as a layer of an image, the directories of the same owner on the
//! same file system count, up to the first that everybody may write to; and of their files only those that name a
//! guardrail or a halt. A mounted ConfigMap is a file system of its own, so nothing above it is read.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use policies::reading::names_binding_kind;

use super::{Rules, walk::Walk};
use crate::{
    io_reason::io_reason,
    source::checkout::{CheckoutFile, Content},
};

/// The directories above a directory that belong to the same tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Above {
    /// The nearest first.
    pub(crate) directories: Vec<PathBuf>,
    is_work_tree: bool,
}

impl Above {
    /// The directories above this one, whose path has no symbolic links.
    pub(crate) fn of(directory: &Path) -> Self {
        let above = directory.ancestors().skip(1).map(Path::to_owned);
        if let Some(root) = work_tree(directory) {
            let directories = above.take_while(|above| above.starts_with(root)).collect();
            return Self { directories, is_work_tree: true };
        }
        let Ok(ours) = fs::metadata(directory) else { return Self::default() };
        let is_of_same_tree = |above: &PathBuf| {
            let is_same = |above: &fs::Metadata| {
                const WRITABLE_BY_ALL: u32 = 0o002;
                (above.dev(), above.uid()) == (ours.dev(), ours.uid()) && above.mode() & WRITABLE_BY_ALL == 0
            };
            above.parent().is_some() && fs::metadata(above).is_ok_and(|above| is_same(&above))
        };
        Self { directories: above.take_while(is_of_same_tree).collect(), is_work_tree: false }
    }

    /// The files directly in these directories that may hold guardrails. Their paths lead up: those in the nearest
    /// directory begin with so many `../`.
    pub(super) fn guard_files(&self, rules: Rules<'_>, nearest: usize) -> Vec<CheckoutFile> {
        let Some(top) = self.directories.last() else { return Vec::new() };
        let mut files = Vec::new();
        for (i, directory) in self.directories.iter().enumerate() {
            let prefix = "../".repeat(nearest + i);
            // Their bytes say which of them count.
            match Walk::new(top, rules, &|_| false).directly_in(directory, &prefix) {
                Ok(found) => files.extend(found.into_iter().filter(|file| self.is_guard(file))),
                Err(error) if self.is_work_tree => {
                    let reason = format!("cannot be read: {}", io_reason(&error));
                    files.push(CheckoutFile::unreadable(prefix, reason));
                }
                Err(_) => {}
            }
        }
        files
    }

    /// In a work tree every file counts as it does where the repository is served.
    fn is_guard(&self, file: &CheckoutFile) -> bool {
        self.is_work_tree
            || match &file.content {
                Content::Bytes(bytes) => names_binding_kind(bytes),
                // It may name one.
                Content::Unreadable(_) => true,
                Content::Known | Content::PassedOver(_) => false,
            }
    }
}

/// The root of the Git work tree that a directory, whose path has no symbolic links, is in.
pub(super) fn work_tree(directory: &Path) -> Option<&Path> {
    directory.ancestors().find(|above| above.join(".git").symlink_metadata().is_ok())
}
