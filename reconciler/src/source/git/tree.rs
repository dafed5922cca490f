//! The policy files of a commit, read through its trees and blobs.

use std::path::Path;

use git2::{Error, ErrorCode, ObjectType, Oid, Repository as Clone, Tree};

use policies::yaml::MAX_FILE_BYTES;

use crate::source::{BlobId, CheckoutFile, MAX_DEPTH, is_hidden, is_policy_file};

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
    match folder(clone, &root, path)? {
        Some(tree) => reader.walk(&tree, "", Depth::All)?,
        None => reader.warn(format!("the commit has no folder `{}`: no policy is in force", path.display())),
    }
    let files = std::mem::take(&mut reader.files);
    for above in path.ancestors().skip(1) {
        let prefix = above.to_str().filter(|above| !above.is_empty()).map(|above| format!("{above}/"));
        if let Some(tree) = folder(clone, &root, above)? {
            reader.walk(&tree, &prefix.unwrap_or_default(), Depth::One)?;
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

/// How far down a folder is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    One,
    All,
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

    fn walk(&mut self, tree: &Tree<'_>, prefix: &str, depth: Depth) -> Result<(), Error> {
        for entry in tree {
            let Ok(name) = entry.name() else {
                let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
                self.warn(format!("{prefix}{name} is not UTF-8 and is passed over"));
                continue;
            };
            match entry.kind() {
                Some(ObjectType::Tree) if depth == Depth::All && !is_hidden(name) => {
                    if prefix.matches('/').count() >= MAX_DEPTH {
                        self.warn(format!(
                            "{prefix}{name} is more than {MAX_DEPTH} folders deep and is passed over"
                        ));
                        continue;
                    }
                    let tree = self.clone.find_tree(entry.id())?;
                    self.walk(&tree, &format!("{prefix}{name}/"), depth)?;
                }
                Some(ObjectType::Blob) if is_policy_file(name) && entry.filemode() == SYMBOLIC_LINK => {
                    self.warn(format!(
                        "{prefix}{name} is a symbolic link and is passed over; put the file there"
                    ));
                }
                Some(ObjectType::Blob) if is_policy_file(name) => {
                    let file = self.file(entry.id(), format!("{prefix}{name}"))?;
                    self.files.push(file);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, id: Oid, path: String) -> Result<CheckoutFile, Error> {
        let blob = BlobId::of_object(id.as_bytes());
        let bytes = if (self.is_known)(&blob) { None } else { Some(content(self.clone, id)?) };
        Ok(CheckoutFile { path: path.into(), blob, bytes, modified: None })
    }
}
