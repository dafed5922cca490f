//! The policy files of a commit, read through its trees and blobs.

use std::{cmp::Ordering, collections::BTreeSet, path::Path, sync::Arc};

use git2::{Oid, Repository as BareClone, Tree};
use policies::reading::MAX_FILE_BYTES;

use super::{
    budget::{Cost, ReadError},
    content_size::ContentSize,
    directory::{Change, Directory, Item},
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
    /// The size of the files, once they are read.
    size: ContentSize,
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
        Ok(Self { directory, above, size: ContentSize::default() })
    }

    /// The files that differ from those of an earlier commit.
    pub(super) fn change(&self, before: Option<&Self>) -> Change {
        let directory = before.and_then(|before| before.directory.as_deref());
        let mut change = Change::between(directory, self.directory.as_deref());
        let above = |files: Option<&Self>, prefix: &str| {
            files?.above.iter().find(|directory| directory.prefix() == prefix).cloned()
        };
        let all = before.into_iter().chain([self]).flat_map(|files| &files.above);
        let prefixes: BTreeSet<_> = all.map(|directory| directory.prefix()).collect();
        for prefix in prefixes {
            let (before, after) = (above(before, prefix), above(Some(self), prefix));
            change.add(before.as_deref(), after.as_deref());
        }
        change
    }

    /// The size of the files, by that of an earlier commit's: only files that differ are looked at.
    fn size(&self, clone: &BareClone, before: Option<&Self>) -> Result<ContentSize, ReadError> {
        let mut size = before.map(|before| before.size).unwrap_or_default();
        let Change { before, after } = self.change(before);
        for id in before {
            size.remove(objects::content_size(clone, id)?);
        }
        for id in after {
            size.add(objects::content_size(clone, id)?)?;
        }
        Ok(size)
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
        // After a push that was forced, files of the earlier commit may be gone.
        self.size = self.size(clone, known).or_else(|_| self.size(clone, None))?;
        let mut contents = Contents { clone, size: self.size, warnings };
        let files = contents.read(self.directory.iter(), &is_known)?;
        let above = contents.read(self.above.iter(), &is_known)?;
        Ok((files, above))
    }
}

/// The contents of files that are being read.
struct Contents<'a> {
    clone: &'a BareClone,
    /// The size of all files, and of those so far that are read for another cause.
    size: ContentSize,
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
        let size = objects::size(self.clone, id)?;
        if size > MAX_FILE_BYTES {
            return Ok(None);
        }
        self.size.add(size)?;
        Ok(Some(objects::content(self.clone, id)?))
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use git2::{FileMode, Repository as BareClone, Signature, Time, build::TreeUpdateBuilder};

    use super::{ContentSize, Files};

    #[test]
    fn the_size_by_an_earlier_commit_is_that_of_all_files() {
        let folder = tempfile::tempdir().unwrap();
        let clone = BareClone::init_bare(folder.path()).unwrap();
        let commit = |files: &[(&str, &str)]| {
            let mut update = TreeUpdateBuilder::new();
            for (path, text) in files {
                update.upsert(*path, clone.blob(text.as_bytes()).unwrap(), FileMode::Blob);
            }
            let empty = clone.find_tree(clone.treebuilder(None).unwrap().write().unwrap()).unwrap();
            let tree = clone.find_tree(update.create_updated(&clone, &empty).unwrap()).unwrap();
            let author = Signature::new("A", "a@b", &Time::new(1, 0)).unwrap();
            clone.commit(None, &author, &author, "x", &tree, &[]).unwrap()
        };
        let read = |commit, known: Option<&Files>| {
            let mut files = Files::of(&clone, commit, Path::new("p/q"), known).unwrap();
            files.read(&clone, Path::new("p/q"), known, |_| true, &mut Vec::new()).unwrap();
            files
        };
        let all = [("p/q/a.yaml", "1"), ("p/q/b/c.yaml", "12"), ("p/d.yaml", "123"), ("e.yaml", "1234")];
        let copied =
            [("p/q/a.yaml", "12345"), ("p/q/b/c.yaml", "12"), ("p/q/b/f.yaml", "12"), ("p/d.yaml", "1")];
        let without_subdirectory = [("p/q/a.yaml", "12345"), ("p/d.yaml", "1"), ("e.yaml", "1")];
        let without_directory = [("p/d.yaml", "1"), ("e.yaml", "1")];
        let mut known = None;
        let steps = [&all[..], &copied, &without_subdirectory, &without_directory, &[("e.yaml", "12")], &all];
        for files in steps {
            let mut expected = ContentSize::default();
            files.iter().for_each(|(_, text)| expected.add(text.len()).unwrap());
            let commit = commit(&[files, &[("x/elsewhere.yaml", "1")]].concat());
            let (by_earlier, of_all) = (read(commit, known.as_ref()), read(commit, None));
            assert_eq!((by_earlier.size, of_all.size), (expected, expected));
            known = Some(by_earlier);
        }
    }
}
