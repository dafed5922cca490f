//! Joins the packs of the clone, in the child process. Killed at any moment, it leaves all objects in place: packs
//! are removed after the new one is complete.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use git2::{Error, ObjectType, Oid, PackBuilder, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{budget::ReadError, objects, pack_index::PackIndex, reachable};
use crate::io_reason::io_reason;

/// The largest number of objects in a partial pack, some thousand commits. Above it, everything is packed again.
const MOST_NEW: usize = 10_000;
/// The largest object that is written to a new pack, in bytes. A pack with a larger one stays as it is.
const LARGEST: usize = 8 << 20;
/// The memory in which similar objects are searched for, in bytes.
const WINDOW: i64 = 16 << 20;
const READABLE: u32 = 0o444;

/// What is to be joined.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JoinJob {
    /// Commits to keep, with all that they lead to; so is what the refs of the clone lead to.
    pub(super) kept: Vec<String>,
    pub(super) base: Option<Base>,
}

/// Packs that hold a commit and its whole history, by their names without extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    pub(super) commit: String,
    pub(super) packs: HashSet<String>,
}

/// The reason why packs were not joined.
#[derive(Debug, thiserror::Error)]
pub(super) enum JoinError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{}", io_reason(.0))]
    Directory(#[from] io::Error),
}

impl From<Error> for JoinError {
    fn from(error: Error) -> Self {
        Self::Read(error.into())
    }
}

/// Packs the objects since the base; all objects if there is no base, or too many are newer. Unreachable objects are
/// dropped then. Removes what is in the new pack.
pub(super) fn join(clone: &BareClone, JoinJob { kept, base }: &JoinJob) -> Result<Base, JoinError> {
    // The search goes through all versions of a file: without limits it holds them all.
    let mut config = clone.config()?;
    config.set_i64("pack.windowMemory", WINDOW)?;
    config.set_i64("pack.deltaCacheSize", WINDOW)?;
    let directory = clone.path().join("objects").join("pack");
    let before = names(&directory)?;
    let mut tips = kept.iter().map(|id| Oid::from_str(id)).collect::<Result<Vec<_>, _>>()?;
    let first = tips.first().copied().ok_or_else(|| Error::from_str("there is nothing to keep"))?;
    for reference in clone.references()? {
        tips.push(reference?.peel_to_commit()?.id());
    }
    let is_base = |base: &&Base| {
        let Ok(base) = Oid::from_str(&base.commit) else { return false };
        tips.iter().any(|tip| *tip == base || clone.graph_descendant_of(*tip, base).unwrap_or(false))
    };
    if let Some(base) = base.as_ref().filter(is_base) {
        let since = choose(clone, &tips, Some(Oid::from_str(&base.commit)?), &[])?;
        if since.large.is_empty() && since.builder.object_count() <= MOST_NEW {
            let new = since.write(&directory)?;
            let is_kept = |name: &String| base.packs.contains(name) || new.as_ref() == Some(name);
            remove(&directory, before.iter().filter(|name| !is_kept(name)))?;
            return Ok(base.clone());
        }
    }
    let mut all = choose(clone, &tips, None, &[])?;
    let mut packs = HashSet::new();
    if !all.large.is_empty() {
        let with_large = packs_with(&all.large, &directory)?;
        all = choose(clone, &tips, None, &with_large)?;
        packs.extend(with_large.into_iter().map(|pack| pack.name));
    }
    packs.extend(all.write(&directory)?);
    remove(&directory, before.iter().filter(|name| !packs.contains(*name)))?;
    Ok(Base { commit: first.to_string(), packs })
}

/// The objects for a new pack, and those that are too large for it.
struct Chosen<'a> {
    builder: PackBuilder<'a>,
    large: Vec<Oid>,
}

/// Chooses what `tips` lead to and `base` does not, except what is in the packs `kept`.
fn choose<'a>(
    clone: &'a BareClone,
    tips: &[Oid],
    base: Option<Oid>,
    kept: &[PackIndex],
) -> Result<Chosen<'a>, ReadError> {
    let mut builder = clone.packbuilder()?;
    builder.set_threads(1);
    let mut large = Vec::new();
    reachable::visit(clone, tips, base, |id, kind, name| {
        if kind == ObjectType::Blob && objects::size(clone, id)? > LARGEST {
            large.push(id);
        } else if !kept.iter().any(|pack| pack.contains(id)) {
            builder.insert_object(id, Some(name))?;
        }
        Ok(())
    })?;
    Ok(Chosen { builder, large })
}

impl Chosen<'_> {
    /// Writes the pack, and returns its name; `None` if there is nothing to write.
    fn write(mut self, directory: &Path) -> Result<Option<String>, Error> {
        if self.builder.object_count() == 0 {
            return Ok(None);
        }
        self.builder.write(directory, READABLE)?;
        let name = self.builder.name()?.ok_or_else(|| Error::from_str("the new pack has no name"))?;
        Ok(Some(format!("pack-{name}")))
    }
}

/// The packs that hold one of these objects.
fn packs_with(objects: &[Oid], directory: &Path) -> io::Result<Vec<PackIndex>> {
    let mut packs = Vec::new();
    for name in names(directory)? {
        let index = PackIndex::read(directory, name)?;
        if objects.iter().any(|id| index.contains(*id)) {
            packs.push(index);
        }
    }
    Ok(packs)
}

fn remove<'a>(directory: &Path, names: impl Iterator<Item = &'a String>) -> io::Result<()> {
    for name in names {
        // The index first: a pack without one is not looked at.
        for ending in ["idx", "rev", "pack"] {
            absent(fs::remove_file(directory.join(name).with_extension(ending)))?;
        }
    }
    Ok(())
}

/// The packs in a directory, by their names without extension.
pub(super) fn names(directory: &Path) -> io::Result<HashSet<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.map(|entry| Ok(PathBuf::from(entry?.file_name())));
    let paths = paths.collect::<io::Result<Vec<_>>>()?;
    let packs = paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "pack"));
    Ok(packs.filter_map(|path| path.file_stem()?.to_str().map(str::to_owned)).collect())
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
