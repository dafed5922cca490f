//! A plain directory.

mod above;
mod walk;

use std::{
    fmt, fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use policies::{Digest, Timestamp};

pub(crate) use self::above::Above;
use self::walk::Walk;
use super::{
    ancestry::Ancestry,
    bounded_read::read_bounded,
    checkout::{BlobId, Checkout, CheckoutFile, Content, Revision, Warning},
    entry::{Entry, Kind},
    error::SourceError,
    git::{self, Committed, WorkTree},
};
use crate::io_reason::io_reason;

/// A directory and everything below it.
#[derive(Debug)]
pub struct DirSource {
    root: PathBuf,
    /// It is read as a commit of it would be, if it is in a Git work tree.
    as_committed: bool,
}

/// The rules by which entries are read.
#[derive(Clone, Copy)]
enum Rules<'a> {
    /// Links to files in the directory are followed: a mounted ConfigMap consists of them.
    Plain,
    /// As a commit of the work tree is read: no link is followed, no submodule is entered, nothing that Git ignores is
    /// there, and there are limits.
    Git(&'a WorkTree),
}

impl DirSource {
    pub fn new(root: PathBuf) -> Self {
        Self { root, as_committed: false }
    }

    /// The directory as `hfi serve --repo` would read its commit if it is in a Git work tree, and as `hfi serve --dir`
    /// reads it elsewhere.
    pub(crate) fn as_committed(root: PathBuf) -> Self {
        Self { root, as_committed: true }
    }

    pub fn checkout(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Result<Checkout, SourceError> {
        let failed = |error: io::Error| {
            SourceError(format!("cannot read directory {}: {}", self.root.display(), io_reason(&error)))
        };
        // All files come from one directory, also when a link to it is swapped meanwhile.
        let root = self.root.canonicalize().map_err(failed)?;
        let work_tree = self.as_committed.then(|| work_tree(&root)).flatten();
        let rules = Rules::of(work_tree.as_ref());
        let walk = Walk::new(&root, rules, &is_known).through().map_err(failed)?;
        Ok(checkout(walk.files, Above::of(&root).guard_files(rules, 1), walk.warnings))
    }

    /// A single file, as [`as_committed`](Self::as_committed) reads its directory. The files beside it count for their
    /// guardrails alone.
    pub(crate) fn checkout_of_file(path: &Path) -> Result<Checkout, SourceError> {
        let failed =
            |error: io::Error| SourceError(format!("cannot read {}: {}", path.display(), io_reason(&error)));
        let name = path.file_name().unwrap_or_default();
        let real = directory_of(path).map_err(failed)?.join(name);
        let work_tree = work_tree(&real);
        let is_link = work_tree.is_some() && path.is_symlink();
        let (path, mut warnings) = (name.to_string_lossy().into_owned(), Vec::new());
        if work_tree.as_ref().is_some_and(|tree| tree.leaves_out(&real, false)) {
            warnings.push(Warning::new(&*path, "is in no commit, since Git ignores it (.gitignore)"));
        }
        let file = match Entry::of(name.as_bytes(), if is_link { Kind::Link } else { Kind::File }) {
            Entry::Unreadable(reason) => CheckoutFile::unreadable(path, reason.to_owned()),
            entry => {
                if entry != Entry::File {
                    let message =
                        "is ignored where its directory is served: policy files end in .yaml or .yml";
                    warnings.push(Warning::new(&*path, message));
                }
                let metadata = fs::metadata(&real).map_err(failed)?;
                CheckoutFile::read(path, read_bounded(&real).map_err(failed)?, &metadata, &|_| false)
            }
        };
        let above = Above::of(&real).guard_files(Rules::of(work_tree.as_ref()), 0);
        Ok(checkout(vec![file], above, warnings))
    }
}

impl<'a> Rules<'a> {
    fn of(work_tree: Option<&'a WorkTree>) -> Self {
        work_tree.map_or(Self::Plain, Self::Git)
    }
}

/// The Git work tree that a path, which has no symbolic links, is in.
fn work_tree(path: &Path) -> Option<WorkTree> {
    above::work_tree(path).map(WorkTree::open)
}

impl fmt::Display for DirSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "directory {}", self.root.display())
    }
}

/// The checkout of files, and of the files above them.
fn checkout(files: Vec<CheckoutFile>, above: Vec<CheckoutFile>, warnings: Vec<Warning>) -> Checkout {
    // Durations count from the modification, so it decides what is served.
    let at = |file: &CheckoutFile| file.modified.map_or(0, Timestamp::as_millis).to_le_bytes();
    let parts: Vec<_> = files.iter().chain(&above).map(|file| (file, at(file))).collect();
    let parts = parts.iter().flat_map(|(file, at)| [file.path.as_bytes(), file.blob.as_bytes(), at]);
    let revision = Revision::new(format!("dir@{}", Digest::of_parts(parts)));
    let (ancestry, directory) = (Ancestry::default(), String::new());
    Checkout { revision, ancestry, signed: None, directory, files, above, warnings }
}

impl CheckoutFile {
    fn read(
        path: String,
        bytes: Vec<u8>,
        metadata: &fs::Metadata,
        is_known: &dyn Fn(&BlobId) -> bool,
    ) -> Self {
        let blob = BlobId::of(&bytes);
        let content = if is_known(&blob) { Content::Known } else { Content::Bytes(bytes) };
        Self { path: path.into(), blob, content, modified: modified(metadata) }
    }
}

fn modified(metadata: &fs::Metadata) -> Option<Timestamp> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(since.as_millis().try_into().ok()?))
}

/// The directory of a file, without symbolic links in its path.
pub(crate) fn directory_of(file: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(file)?;
    absolute.parent().unwrap_or(&absolute).canonicalize()
}

/// The files of a directory as they are at a commit of its repository: that of a branch, a tag or an id. Without one
/// it is the upstream of the branch that is checked out, or else the commit that is.
pub(crate) fn committed(directory: &Path, revision: Option<&str>) -> Result<Committed, SourceError> {
    let shown = directory.display();
    let directory = directory.canonicalize();
    let directory = directory
        .map_err(|error| SourceError(format!("cannot read directory {shown}: {}", io_reason(&error))))?;
    let Some(root) = above::work_tree(&directory) else {
        return Err(SourceError(format!(
            "{shown} is in no Git work tree: there is no commit to compare with"
        )));
    };
    git::committed(root, &directory, revision)
}

/// The place of a file of a checkout, given the directory that was read.
pub(crate) fn located(directory: &Path, path: &str) -> PathBuf {
    let (mut directory, mut path) = (directory, path);
    while let Some(rest) = path.strip_prefix("../") {
        (directory, path) = (directory.parent().unwrap_or(directory), rest);
    }
    directory.join(path)
}
