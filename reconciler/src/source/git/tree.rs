//! The policy files of a commit, read through its trees and blobs.

use std::{path::Path, sync::Arc};

use git2::{Error, ErrorCode, ObjectType, Oid, Repository as BareClone, Tree};
use policies::reading::MAX_FILE_BYTES;

use super::directory::{Folder, Item};
use crate::source::{
    checkout::{BlobId, CheckoutFile, Content},
    names::MAX_DEPTH,
};

/// The policy files of a commit.
#[derive(Debug)]
pub(super) struct Files {
    /// The policy directory; absent if the commit has none.
    pub(super) folder: Option<Arc<Folder>>,
    /// The directories above it, each without its subdirectories.
    above: Vec<Arc<Folder>>,
}

impl Files {
    /// Reads the files below `path` at `commit`, and the files directly in the directories above it. What is the
    /// same in `known` is not read again.
    pub(super) fn of(
        clone: &BareClone,
        commit: Oid,
        path: &Path,
        known: Option<&Self>,
    ) -> Result<Self, Error> {
        let root = clone.find_commit(commit)?.tree()?;
        let folder = policy_folder(clone, &root, path, known.and_then(|known| known.folder.as_ref()))?;
        let mut above = Vec::new();
        for path in path.ancestors().skip(1) {
            if let Some(tree) = find(clone, &root, path)? {
                let prefix = prefix(path);
                let known =
                    known.and_then(|known| known.above.iter().find(|folder| folder.prefix() == prefix));
                above.push(Folder::read(clone, tree.id(), prefix, 0, known)?);
            }
        }
        Ok(Self { folder, above })
    }

    /// The files of the policy directory and of the directories above, with the content of those that are not known
    /// yet. A missing policy directory is an empty one, with a warning.
    pub(super) fn read(
        &self,
        clone: &BareClone,
        path: &Path,
        is_known: impl Fn(&BlobId) -> bool,
        warnings: &mut Vec<String>,
    ) -> Result<(Vec<CheckoutFile>, Vec<CheckoutFile>), Error> {
        if self.folder.is_none() {
            let path = path.display();
            warnings.push(format!("the commit has no directory `{path}`: no policy is in force"));
        }
        let mut read = |folders: &mut dyn Iterator<Item = &Arc<Folder>>| {
            let (mut items, mut files) = (Vec::new(), Vec::new());
            folders.for_each(|folder| folder.gather(&mut items));
            for item in items {
                match item {
                    Item::File { path, id } => {
                        let blob = BlobId::of_object(id.as_bytes());
                        let content = match is_known(&blob) {
                            true => Content::Known,
                            false => Content::Bytes(content(clone, *id)?),
                        };
                        files.push(CheckoutFile { path: Arc::clone(path), blob, content, modified: None });
                    }
                    Item::Unreadable { path, reason } => {
                        files.push(CheckoutFile::unreadable(path.to_string(), (*reason).to_owned()));
                    }
                    Item::Warning(warning) => warnings.push(warning.clone()),
                    Item::Folder(_) => {}
                }
            }
            Ok::<_, Error>(files)
        };
        Ok((read(&mut self.folder.iter())?, read(&mut self.above.iter())?))
    }
}

/// The policy directory of a commit; `None` if the commit has none.
pub(super) fn policy_folder(
    clone: &BareClone,
    root: &Tree<'_>,
    path: &Path,
    known: Option<&Arc<Folder>>,
) -> Result<Option<Arc<Folder>>, Error> {
    let tree = find(clone, root, path)?;
    tree.map(|tree| Folder::read(clone, tree.id(), prefix(path), MAX_DEPTH, known)).transpose()
}

/// The tree at `path`; `None` if there is none.
fn find<'r>(clone: &'r BareClone, root: &Tree<'r>, path: &Path) -> Result<Option<Tree<'r>>, Error> {
    if path.as_os_str().is_empty() {
        return Ok(Some(root.clone()));
    }
    match root.get_path(path) {
        Ok(entry) if entry.kind() == Some(ObjectType::Tree) => clone.find_tree(entry.id()).map(Some),
        Ok(_) => Ok(None),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn prefix(folder: &Path) -> String {
    match folder.to_str() {
        Some("") | None => String::new(),
        Some(folder) => format!("{folder}/"),
    }
}

/// The content of a blob. A blob that is too long for a policy file is read only far enough to prove that.
pub(super) fn content(clone: &BareClone, id: Oid) -> Result<Vec<u8>, Error> {
    let (size, _) = clone.odb()?.read_header(id)?;
    if size > MAX_FILE_BYTES {
        return Ok(vec![0; MAX_FILE_BYTES + 1]);
    }
    clone.find_blob(id).map(|blob| blob.content().to_vec())
}
