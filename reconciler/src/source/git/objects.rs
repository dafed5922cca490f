//! Reads single objects of a clone, none that is too large. An object in memory is as large as it says.

use std::path::Path;

use git2::{Commit, Error, ObjectType, Oid, Repository as BareClone, Tree};
use policies::reading::MAX_FILE_BYTES;

use super::{
    budget::{Excess, ReadError},
    limits::{MAX_COMMIT, MAX_TREE},
};
use crate::source::printable::printable;

/// A commit.
pub(super) fn commit(clone: &BareClone, id: Oid) -> Result<Commit<'_>, ReadError> {
    commit_within(clone, id, MAX_COMMIT).map(|(commit, _)| commit)
}

/// A commit of at most so many bytes, and its size in bytes.
pub(super) fn commit_within(
    clone: &BareClone,
    id: Oid,
    limit: usize,
) -> Result<(Commit<'_>, usize), ReadError> {
    let size = within(clone, id, limit, || format!("commit {id} with its message"))?;
    Ok((clone.find_commit(id)?, size))
}

/// A directory, and its size in bytes.
pub(super) fn tree(
    clone: &BareClone,
    id: Oid,
    path: impl Fn() -> String,
) -> Result<(Tree<'_>, usize), ReadError> {
    let size = within(clone, id, MAX_TREE, || format!("the directory `{}`", printable(&path())))?;
    Ok((clone.find_tree(id)?, size))
}

/// The content of a blob. A blob that is too long for a policy file is not read: the content is then as many bytes as
/// prove that.
pub(super) fn content(clone: &BareClone, id: Oid) -> Result<Vec<u8>, Error> {
    if size(clone, id)? > MAX_FILE_BYTES {
        return Ok(vec![0; MAX_FILE_BYTES + 1]);
    }
    clone.find_blob(id).map(|blob| blob.content().to_vec())
}

/// The bytes that [`content`] has, without reading them.
pub(super) fn content_size(clone: &BareClone, id: Oid) -> Result<usize, Error> {
    Ok(size(clone, id)?.min(MAX_FILE_BYTES + 1))
}

/// The size of an object in bytes, without reading it.
pub(super) fn size(clone: &BareClone, id: Oid) -> Result<usize, Error> {
    clone.odb()?.read_header(id).map(|(size, _)| size)
}

fn within(clone: &BareClone, id: Oid, limit: usize, what: impl Fn() -> String) -> Result<usize, ReadError> {
    let size = size(clone, id)?;
    if size > limit {
        return Err(Excess::new(format!("{} has {size} bytes, more than {limit}", what())).into());
    }
    Ok(size)
}

/// The tree of a commit.
pub(super) fn root<'r>(clone: &'r BareClone, commit: &Commit<'_>) -> Result<Tree<'r>, ReadError> {
    tree(clone, commit.tree_id(), || "/".to_owned()).map(|(tree, _)| tree)
}

/// The tree below another by the names of its directories; `None` if there is none.
pub(super) fn below<'r>(
    clone: &'r BareClone,
    root: &Tree<'r>,
    path: &Path,
) -> Result<Option<Tree<'r>>, ReadError> {
    let mut found = root.clone();
    for name in path {
        let entry = found.get_name_bytes(name.as_encoded_bytes());
        let Some(entry) = entry.filter(|entry| entry.kind() == Some(ObjectType::Tree)) else {
            return Ok(None);
        };
        let id = entry.id();
        drop(entry);
        (found, _) = tree(clone, id, || path.display().to_string())?;
    }
    Ok(Some(found))
}
