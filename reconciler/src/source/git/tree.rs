//! The policy files of a commit, read through its trees and blobs.

use std::{cmp::Ordering, collections::HashMap, path::Path, sync::Arc};

use git2::{Oid, Repository as BareClone, Tree};
use policies::reading::MAX_FILE_BYTES;

use super::{
    budget::{Cost, Excess, ReadError},
    directory::{Change, Directory, Item},
    limits::MAX_CONTENT,
    objects,
};
use crate::source::{
    checkout::{BlobId, CheckoutFile, Content},
    entry::{MISCASED, miscased},
    names::MAX_DEPTH,
    printable::printable,
};

/// The number of warnings about a commit that are told.
const MAX_WARNINGS: usize = 100;

/// The policy files of a commit.
#[derive(Debug)]
pub(super) struct Files {
    /// The policy directory; absent if the commit has none.
    pub(super) directory: Option<Arc<Directory>>,
    /// The directories above it, each without its subdirectories.
    pub(super) above: Vec<Arc<Directory>>,
    /// The sizes of the files in bytes, once they are read.
    sizes: HashMap<Oid, usize>,
}

impl Files {
    /// Reads the files below `path` at `commit`, and the files directly in the directories above it. What is the
    /// same in `known` is not read again.
    pub(super) fn of(
        clone: &BareClone,
        commit: Oid,
        path: &Path,
        known: Option<&Self>,
    ) -> Result<Self, ReadError> {
        let root = objects::root(clone, &objects::commit(clone, commit)?)?;
        let cost = &mut Cost::default();
        let known_directory = known.and_then(|known| known.directory.as_ref());
        let directory = policy_directory(clone, &root, path, known_directory, cost)?;
        let mut above = Vec::new();
        for path in path.ancestors().skip(1) {
            if let Some(tree) = objects::below(clone, &root, path)? {
                let prefix = prefix(path);
                let known =
                    known.and_then(|known| known.above.iter().find(|directory| directory.prefix() == prefix));
                above.push(Directory::read(clone, tree.id(), prefix, 0, known, cost)?);
            }
        }
        Ok(Self { directory, above, sizes: HashMap::new() })
    }

    /// The files whose content is not in an earlier commit's.
    pub(super) fn since(&self, before: Option<&Self>) -> Vec<Oid> {
        let directory = before.and_then(|before| before.directory.as_deref());
        let mut changed = Change::between(directory, self.directory.as_deref()).after;
        for directory in &self.above {
            let is_same = |was: &&Arc<Directory>| was.prefix() == directory.prefix();
            let was = before.and_then(|before| before.above.iter().find(is_same));
            changed.extend(Change::between(was.map(|was| &**was), Some(directory)).after);
        }
        changed
    }

    /// The files of the policy directory and of the directories above, with the content of those that are not known
    /// yet. A missing policy directory is an empty one, with a warning.
    pub(super) fn read(
        &mut self,
        clone: &BareClone,
        path: &Path,
        known: Option<&Self>,
        is_known: impl Fn(&BlobId) -> bool,
        warnings: &mut Vec<String>,
    ) -> Result<(Vec<CheckoutFile>, Vec<CheckoutFile>), ReadError> {
        if self.directory.is_none() {
            let path = path.display();
            warnings.push(format!("the commit has no directory `{path}`: no policy is in force"));
        }
        let mut contents =
            Contents { clone, known, sizes: HashMap::new(), total: ContentSize::default(), warnings };
        let files = contents.read(self.directory.iter(), &is_known)?;
        let above = contents.read(self.above.iter(), &is_known)?;
        self.sizes = contents.sizes;
        Ok((files, above))
    }
}

/// The contents of files that are being read.
struct Contents<'a> {
    clone: &'a BareClone,
    known: Option<&'a Files>,
    sizes: HashMap<Oid, usize>,
    /// The size of all files so far, known or not.
    total: ContentSize,
    warnings: &'a mut Vec<String>,
}

impl Contents<'_> {
    fn read<'f>(
        &mut self,
        directories: impl Iterator<Item = &'f Arc<Directory>>,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<Vec<CheckoutFile>, ReadError> {
        let (mut items, mut files) = (Vec::new(), Vec::new());
        directories.for_each(|directory| directory.gather(&mut items));
        let mut ignored = 0;
        for item in items {
            let warning = match item {
                Item::File { path, id } => {
                    self.count(*id)?;
                    let blob = BlobId::of_object(id.as_bytes());
                    let content = match is_known(&blob) {
                        true => Content::Known,
                        false => Content::Bytes(objects::content(self.clone, *id)?),
                    };
                    files.push(CheckoutFile { path: Arc::clone(path), blob, content, modified: None });
                    None
                }
                Item::Unreadable { path, reason } => {
                    files.push(CheckoutFile::unreadable(path.to_string(), (*reason).to_owned()));
                    None
                }
                Item::Miscased { path, id } => match miscased(self.miscased(*id)?.as_deref()) {
                    Err(reason) => {
                        files.push(CheckoutFile::unreadable(path.clone(), reason.to_owned()));
                        None
                    }
                    Ok(reason) => {
                        files.extend(reason.map(|reason| CheckoutFile::passed_over(path.clone(), reason)));
                        Some(format!("{} {MISCASED}", printable(path)))
                    }
                },
                Item::PassedOver { path, reason } => {
                    files.push(CheckoutFile::passed_over(path.clone(), reason));
                    Some(format!("{} {MISCASED}", printable(path)))
                }
                Item::Warning(warning) => Some(warning.clone()),
                Item::Directory(_) => None,
            };
            let Some(warning) = warning else { continue };
            match ignored.cmp(&MAX_WARNINGS) {
                Ordering::Less => self.warnings.push(warning),
                Ordering::Equal => self.warnings.push("there are further warnings of this kind".to_owned()),
                Ordering::Greater => {}
            }
            ignored += 1;
        }
        Ok(files)
    }

    /// The content of a file whose ending is in upper case; none of one that is too long to be read.
    fn miscased(&mut self, id: Oid) -> Result<Option<Vec<u8>>, ReadError> {
        if objects::size(self.clone, id)? > MAX_FILE_BYTES {
            return Ok(None);
        }
        self.count(id)?;
        Ok(Some(objects::content(self.clone, id)?))
    }

    /// Adds a file to the total, before its content is read.
    fn count(&mut self, id: Oid) -> Result<(), ReadError> {
        let known =
            self.known.and_then(|known| known.sizes.get(&id)).or_else(|| self.sizes.get(&id)).copied();
        let size = known.map_or_else(|| objects::content_size(self.clone, id), Ok)?;
        self.sizes.insert(id, size);
        Ok(self.total.add(size)?)
    }
}

/// The bytes of policy files, each counted for every path to it.
#[derive(Debug, Default)]
pub(in crate::source) struct ContentSize(usize);

impl ContentSize {
    /// Adds a file, unless that is over the limit.
    pub(in crate::source) fn add(&mut self, bytes: usize) -> Result<(), Excess> {
        self.0 += bytes;
        if self.0 > MAX_CONTENT {
            return Err(Excess::new(format!(
                "its policy files have more than {MAX_CONTENT} bytes: name a smaller directory by --path"
            )));
        }
        Ok(())
    }
}

/// The policy directory of a commit; `None` if the commit has none. The cost of reading it is added to `cost`.
pub(super) fn policy_directory(
    clone: &BareClone,
    root: &Tree<'_>,
    path: &Path,
    known: Option<&Arc<Directory>>,
    cost: &mut Cost,
) -> Result<Option<Arc<Directory>>, ReadError> {
    let tree = objects::below(clone, root, path)?;
    tree.map(|tree| Directory::read(clone, tree.id(), prefix(path), MAX_DEPTH, known, cost)).transpose()
}

pub(super) fn prefix(directory: &Path) -> String {
    match directory.to_str() {
        Some("") | None => String::new(),
        Some(directory) => format!("{directory}/"),
    }
}
