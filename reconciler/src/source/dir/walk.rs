//! A walk through a directory.

use std::{fs, io, os::unix::ffi::OsStrExt as _, path::Path};

use policies::reading::MAX_FILE_BYTES;

use super::Rules;
use crate::{
    io_reason::io_reason,
    source::{
        bounded_read::read_bounded,
        checkout::{BlobId, CheckoutFile, Warning},
        entry::{Entry, Kind, MISCASED, miscased, too_deep},
        git::{ContentSize, Cost, Excess},
        names::MAX_DEPTH,
    },
};

/// The bytes of an entry in a directory of Git beside its name: mode, separators and object id.
const ENTRY_BYTES: usize = 28;

/// The policy files of a directory.
pub(super) struct Walk<'a> {
    /// The directory without symbolic links in its path. Links that point out of it are not followed.
    root: &'a Path,
    rules: Rules<'a>,
    is_known: &'a dyn Fn(&BlobId) -> bool,
    pub(super) files: Vec<CheckoutFile>,
    pub(super) warnings: Vec<Warning>,
    cost: Cost,
    content: ContentSize,
    /// The limit that a commit would be over.
    excess: Option<Excess>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, rules: Rules<'a>, is_known: &'a dyn Fn(&BlobId) -> bool) -> Self {
        let (files, warnings, cost, content) = Default::default();
        Self { root, rules, is_known, files, warnings, cost, content, excess: None }
    }

    /// Reads a directory, whose path has no symbolic links, and everything below it.
    pub(super) fn through(mut self) -> io::Result<Self> {
        self.directory(self.root, "", MAX_DEPTH)?;
        if let Some(excess) = self.excess.take() {
            // Nothing is served of it.
            let reason = format!("is refused by `hfi serve` as a commit: {excess}");
            self.files = vec![CheckoutFile::unreadable(String::new(), reason)];
        }
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.warnings.sort();
        Ok(self)
    }

    /// Reads the files directly in a directory at or below the root.
    pub(super) fn directly_in(mut self, directory: &Path, prefix: &str) -> io::Result<Vec<CheckoutFile>> {
        self.directory(directory, prefix, 0)?;
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(self.files)
    }

    fn directory(&mut self, directory: &Path, prefix: &str, levels: usize) -> io::Result<()> {
        self.count(|cost, _| cost.add_path(Cost { directories: 1, ..Cost::default() }, prefix));
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let (name, at) = (entry.file_name(), entry.path());
            let path = format!("{prefix}{}", name.to_string_lossy());
            let of_entry = Cost { entries: 1, tree_bytes: name.len() + ENTRY_BYTES, ..Cost::default() };
            self.count(|cost, _| cost.add(of_entry, prefix));
            if self.excess.is_some() {
                return Ok(());
            }
            let kind = self.kind(&entry)?;
            let what = Entry::of(name.as_bytes(), kind);
            if what != Entry::Other && self.is_left_out(&at, kind) {
                continue;
            }
            if !matches!(what, Entry::Directory | Entry::Other) {
                self.count(|cost, _| cost.add_path(Cost { files: 1, ..Cost::default() }, &path));
            }
            match what {
                Entry::File => match self.read(&at) {
                    Ok((metadata, bytes)) => {
                        self.count(|_, content| content.add(bytes.len()));
                        self.files.push(CheckoutFile::read(path, bytes, &metadata, self.is_known));
                    }
                    // Between the listing and the reading it was moved away: the next look tells.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => {
                        let reason = format!("cannot be read: {}", io_reason(&error));
                        self.files.push(CheckoutFile::unreadable(path, reason));
                    }
                },
                Entry::Unreadable(reason) => {
                    self.files.push(CheckoutFile::unreadable(path, reason.to_owned()));
                }
                Entry::Miscased => {
                    let read = self.read(&at).map(|(_, bytes)| bytes).ok();
                    match miscased(read.as_deref().filter(|bytes| bytes.len() <= MAX_FILE_BYTES)) {
                        Err(reason) => self.files.push(CheckoutFile::unreadable(path, reason.to_owned())),
                        Ok(reason) => {
                            self.files
                                .extend(reason.map(|reason| CheckoutFile::passed_over(path.clone(), reason)));
                            self.warnings.push(Warning::new(path, MISCASED));
                        }
                    }
                }
                Entry::PassedOver(reason) => {
                    self.files.push(CheckoutFile::passed_over(path.clone(), reason));
                    self.warnings.push(Warning::new(path, MISCASED));
                }
                Entry::Ignored(message) => self.warnings.push(Warning::new(path, message)),
                Entry::Directory if levels > 0 => {
                    if let Err(error) = self.directory(&at, &format!("{path}/"), levels - 1) {
                        let message = format!("is ignored: {}", io_reason(&error));
                        self.warnings.push(Warning::new(path, message));
                    }
                }
                Entry::Directory => self.warnings.push(Warning::new(path, too_deep())),
                Entry::Other => {}
            }
        }
        Ok(())
    }

    /// Adds to what a commit would cost.
    fn count(&mut self, add: impl FnOnce(&mut Cost, &mut ContentSize) -> Result<(), Excess>) {
        if matches!(self.rules, Rules::Git(_)) && self.excess.is_none() {
            self.excess = add(&mut self.cost, &mut self.content).err();
        }
    }

    fn is_left_out(&self, path: &Path, kind: Kind) -> bool {
        let is_directory = matches!(kind, Kind::Directory | Kind::Submodule);
        matches!(self.rules, Rules::Git(tree) if tree.leaves_out(path, is_directory))
    }

    fn kind(&self, entry: &fs::DirEntry) -> io::Result<Kind> {
        let (kind, path) = (entry.file_type()?, entry.path());
        Ok(match self.rules {
            Rules::Git(_) if kind.is_symlink() => Kind::Link,
            Rules::Git(_) if kind.is_dir() && path.join(".git").symlink_metadata().is_ok() => Kind::Submodule,
            _ if kind.is_dir() => Kind::Directory,
            Rules::Plain if kind.is_symlink() && path.is_dir() => Kind::DirectoryLink,
            _ => Kind::File,
        })
    }

    fn read(&self, path: &Path) -> io::Result<(fs::Metadata, Vec<u8>)> {
        if !path.canonicalize()?.starts_with(self.root) {
            return Err(io::Error::other("it is a symbolic link that leads out of the directory"));
        }
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        Ok((metadata, read_bounded(path)?))
    }
}
