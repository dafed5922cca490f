//! The policy files of a commit, read through its trees and blobs.

use std::{path::Path, sync::Arc};

use git2::{Error, ErrorCode, ObjectType, Oid, Repository as Clone, Tree};

use crate::source::{BlobId, CheckoutFile, is_hidden, is_policy_file};

const SYMBOLIC_LINK: i32 = 0o120000;

/// All policy files below `path` at `commit`. A path that the commit does not have is an empty
/// repository, with a warning.
pub(super) fn files(
    clone: &Clone,
    commit: Oid,
    path: &Path,
    is_known: impl Fn(&BlobId) -> bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<CheckoutFile>, Error> {
    let mut files = Vec::new();
    match folder(clone, &clone.find_commit(commit)?.tree()?, path)? {
        Some(tree) => walk(clone, &tree, "", &is_known, warnings, &mut files)?,
        None => {
            warnings.push(format!("the commit has no folder `{}`: no policy is in force", path.display()))
        }
    }
    Ok(files)
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

fn walk(
    clone: &Clone,
    tree: &Tree<'_>,
    prefix: &str,
    is_known: &impl Fn(&BlobId) -> bool,
    warnings: &mut Vec<String>,
    files: &mut Vec<CheckoutFile>,
) -> Result<(), Error> {
    for entry in tree {
        let Ok(name) = entry.name() else {
            let name = String::from_utf8_lossy(entry.name_bytes());
            warnings.push(format!("{prefix}{name} is not UTF-8 and is passed over"));
            continue;
        };
        match entry.kind() {
            Some(ObjectType::Tree) if !is_hidden(name) => {
                let tree = clone.find_tree(entry.id())?;
                walk(clone, &tree, &format!("{prefix}{name}/"), is_known, warnings, files)?;
            }
            Some(ObjectType::Blob) if is_policy_file(name) && entry.filemode() == SYMBOLIC_LINK => {
                warnings.push(format!(
                    "{prefix}{name} is a symbolic link and is passed over; put the file there"
                ));
            }
            Some(ObjectType::Blob) if is_policy_file(name) => {
                let blob = BlobId::of_object(entry.id().as_bytes());
                let read = || clone.find_blob(entry.id()).map(|blob| blob.content().to_vec());
                let bytes = if is_known(&blob) { None } else { Some(read()?) };
                let path = Arc::from(format!("{prefix}{name}"));
                files.push(CheckoutFile { path, blob, bytes, modified: None });
            }
            _ => {}
        }
    }
    Ok(())
}
