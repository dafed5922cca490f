//! Visits objects that commits lead to, each once. Directories may be of any depth.

use std::collections::HashSet;

use git2::{ObjectType, Oid, Repository};

use super::{budget::ReadError, objects};

/// Visits the objects that `tips` lead to, except those of `base`, its history and its tree. `visit` is given the name
/// of the entry that leads to the object; that of a commit is empty. No blob is read.
pub(super) fn visit(
    repository: &Repository,
    tips: &[Oid],
    base: Option<Oid>,
    mut visit: impl FnMut(Oid, ObjectType, &str) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut commits = repository.revwalk()?;
    tips.iter().try_for_each(|tip| commits.push(*tip))?;
    let mut seen = HashSet::new();
    if let Some(base) = base {
        commits.hide(base)?;
        let root = objects::commit(repository, base)?.tree_id();
        tree(repository, root, &mut seen, &mut |_, _, _| Ok(()))?;
    }
    for id in commits {
        let id = id?;
        visit(id, ObjectType::Commit, "")?;
        tree(repository, objects::commit(repository, id)?.tree_id(), &mut seen, &mut visit)?;
    }
    Ok(())
}

/// Visits a directory and all that is in it.
fn tree(
    repository: &Repository,
    root: Oid,
    seen: &mut HashSet<Oid>,
    visit: &mut impl FnMut(Oid, ObjectType, &str) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut open = Vec::new();
    if seen.insert(root) {
        visit(root, ObjectType::Tree, "")?;
        open.push(root);
    }
    while let Some(id) = open.pop() {
        for entry in &objects::tree(repository, id, String::new)?.0 {
            let kind = entry.kind().filter(|kind| *kind != ObjectType::Commit);
            let Some(kind) = kind.filter(|_| seen.insert(entry.id())) else { continue };
            visit(entry.id(), kind, &String::from_utf8_lossy(entry.name_bytes()))?;
            if kind == ObjectType::Tree {
                open.push(entry.id());
            }
        }
    }
    Ok(())
}
