//! The policy files of a commit, read through its trees and blobs.

use std::path::Path;

use git2::{Error, ErrorCode, ObjectType, Oid, Repository as Clone, Tree, TreeEntry};

use policies::yaml::MAX_FILE_BYTES;

use crate::source::{BlobId, CheckoutFile, Content, MAX_DEPTH, is_hidden, is_miscased, is_policy_file};

const SYMBOLIC_LINK: i32 = 0o120000;

/// All policy files below `path` at `commit`, and those right in the folders above it. A path that
/// the commit does not have is an empty repository, with a warning.
pub(super) fn files(
    clone: &Clone,
    commit: Oid,
    path: &Path,
    is_known: impl Fn(&BlobId) -> bool,
    warnings: &mut Vec<String>,
) -> Result<(Vec<CheckoutFile>, Vec<CheckoutFile>), Error> {
    let root = clone.find_commit(commit)?.tree()?;
    let mut reader = Reader { clone, is_known, warnings, files: Vec::new() };
    let prefix = |folder: &Path| match folder.to_str() {
        Some("") | None => String::new(),
        Some(folder) => format!("{folder}/"),
    };
    match folder(clone, &root, path)? {
        Some(tree) => reader.walk(&tree, &prefix(path), MAX_DEPTH)?,
        None => reader.warn(format!("the commit has no folder `{}`: no policy is in force", path.display())),
    }
    let files = std::mem::take(&mut reader.files);
    for above in path.ancestors().skip(1) {
        if let Some(tree) = folder(clone, &root, above)? {
            reader.walk(&tree, &prefix(above), 0)?;
        }
    }
    Ok((files, reader.files))
}

/// The tree at `path`; `None` where there is none.
pub(super) fn folder<'r>(clone: &'r Clone, root: &Tree<'r>, path: &Path) -> Result<Option<Tree<'r>>, Error> {
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

/// A blob's content; of one that is too long to be a policy file, only so much that it shows.
pub(super) fn content(clone: &Clone, id: Oid) -> Result<Vec<u8>, Error> {
    let (size, _) = clone.odb()?.read_header(id)?;
    if size > MAX_FILE_BYTES {
        return Ok(vec![0; MAX_FILE_BYTES + 1]);
    }
    clone.find_blob(id).map(|blob| blob.content().to_vec())
}

/// Whether a link of this name may be meant as a folder: one that is meant as a file has an ending.
fn may_be_folder(name: &str) -> bool {
    !name.contains('.')
}

/// Reads trees and gathers what they hold.
struct Reader<'a, K> {
    clone: &'a Clone,
    is_known: K,
    warnings: &'a mut Vec<String>,
    files: Vec<CheckoutFile>,
}

impl<K: Fn(&BlobId) -> bool> Reader<'_, K> {
    fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Reads a folder, and those below it so many levels down.
    fn walk(&mut self, tree: &Tree<'_>, prefix: &str, levels: usize) -> Result<(), Error> {
        for entry in tree {
            let name = String::from_utf8_lossy(entry.name_bytes());
            let path = format!("{prefix}{name}");
            match entry.kind() {
                Some(ObjectType::Tree) if std::str::from_utf8(entry.name_bytes()).is_err() => {
                    self.warn(format!("{path} is passed over: its name is not UTF-8"));
                }
                Some(ObjectType::Tree) if levels > 0 && !is_hidden(&name) => {
                    let tree = self.clone.find_tree(entry.id())?;
                    self.walk(&tree, &format!("{path}/"), levels - 1)?;
                }
                Some(ObjectType::Tree) if !is_hidden(&name) && prefix.matches('/').count() >= MAX_DEPTH => {
                    self.warn(format!("{path} is more than {MAX_DEPTH} folders deep and is passed over"));
                }
                Some(ObjectType::Blob) if is_policy_file(&name) => {
                    let file = self.file(&entry, path)?;
                    self.files.push(file);
                }
                Some(ObjectType::Blob) if is_miscased(&name) => {
                    self.warn(format!(
                        "{path} is passed over: policy files end in .yaml or .yml, in lower case"
                    ));
                }
                Some(ObjectType::Commit) if !is_hidden(&name) => {
                    self.warn(format!(
                        "{path} is a submodule and passed over: policies stand in this repository itself"
                    ));
                }
                Some(ObjectType::Blob) if entry.filemode() == SYMBOLIC_LINK && may_be_folder(&name) => {
                    self.warn(format!(
                        "{path} is a symbolic link and passed over: policies stand where the link leads"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, entry: &TreeEntry<'_>, path: String) -> Result<CheckoutFile, Error> {
        if entry.filemode() == SYMBOLIC_LINK {
            let reason = "is a symbolic link, which is not followed; put the file there";
            return Ok(CheckoutFile::unreadable(path, reason.to_owned()));
        }
        if entry.name().is_err() {
            return Ok(CheckoutFile::unreadable(path, "has a name that is not UTF-8; rename it".to_owned()));
        }
        let blob = BlobId::of_object(entry.id().as_bytes());
        let known = (self.is_known)(&blob);
        let content = if known { Content::Known } else { Content::Bytes(content(self.clone, entry.id())?) };
        Ok(CheckoutFile { path: path.into(), blob, content, modified: None })
    }
}
