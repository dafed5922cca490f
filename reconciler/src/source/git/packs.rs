//! Keeps the number of pack files in the clone small.
//!
//! Every fetch that brings objects adds a pack file, and libgit2 keeps each pack file open that it has read.
//! When there are many, the packs since the last full pack become one pack; when that has grown large,
//! everything becomes one pack. Unreachable objects are dropped then: commits that were forced off the branch.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use git2::{Error, Oid, PackBuilder, Repository as BareClone};
use tracing::debug;

/// The largest number of packs.
const MOST_PACKS: usize = 50;
/// The largest number of objects in a partial repack, some thousand commits. Above it, everything is repacked.
const MOST_NEW: usize = 10_000;
const READABLE: u32 = 0o444;

/// The known packs of the clone.
#[derive(Debug, Default)]
pub(super) struct Packs {
    base: Option<Base>,
}

/// Packs that hold a commit and its whole history.
#[derive(Debug)]
struct Base {
    commit: Oid,
    packs: HashSet<OsString>,
}

/// The reason why a repack failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PackError {
    #[error("{}", .0.message())]
    Git(#[from] Error),
    #[error(transparent)]
    Folder(#[from] io::Error),
}

impl Packs {
    /// Repacks if there are too many packs. Everything that `kept` and the refs of the clone lead to stays. Returns
    /// true if packs were removed: the clone must then be opened again to close them.
    pub(super) fn put_together(
        &mut self,
        clone: &BareClone,
        kept: impl IntoIterator<Item = Oid>,
    ) -> Result<bool, PackError> {
        let folder = clone.path().join("objects").join("pack");
        let packs = packs(&folder)?;
        let mut tips: Vec<_> = kept.into_iter().collect();
        let Some(first) = tips.first().copied() else { return Ok(false) };
        if packs.len() <= MOST_PACKS {
            // Those that an earlier process left are as good a base as one pack.
            if packs.len() == 1 || (self.base.is_none() && packs.len() <= MOST_PACKS / 2) {
                self.base = Some(Base { commit: first, packs });
            }
            return Ok(false);
        }
        for reference in clone.references()? {
            tips.push(reference?.peel_to_commit()?.id());
        }
        let leads_to_base = |tip: &Oid, base: &Base| {
            *tip == base.commit || clone.graph_descendant_of(*tip, base.commit).unwrap_or(false)
        };
        let base = self.base.take().filter(|base| tips.iter().any(|tip| leads_to_base(tip, base)));
        let since_base = base.map(|base| Ok::<_, Error>((builder(clone, &tips, Some(base.commit))?, base)));
        let since_base = since_base.transpose()?.filter(|(builder, _)| builder.object_count() <= MOST_NEW);
        let (mut builder, base) = match since_base {
            Some((builder, base)) => (builder, Some(base)),
            None => (builder(clone, &tips, None)?, None),
        };
        builder.write(&folder, READABLE)?;
        let name = builder.name()?.ok_or_else(|| Error::from_str("the new pack has no name"))?;
        let new = format!("pack-{name}");
        let kept =
            |pack: &OsString| *pack == *new || base.as_ref().is_some_and(|base| base.packs.contains(pack));
        let superfluous: Vec<_> = packs.iter().filter(|pack| !kept(pack)).collect();
        debug!(
            packs = superfluous.len(),
            objects = builder.object_count(),
            whole = base.is_none(),
            "packs were put together"
        );
        for pack in superfluous {
            // The index first: a pack without one is not looked at.
            for ending in ["idx", "rev", "pack"] {
                absent(fs::remove_file(folder.join(pack).with_extension(ending)))?;
            }
        }
        self.base = Some(base.unwrap_or(Base { commit: first, packs: [new.into()].into() }));
        Ok(true)
    }
}

/// All objects that `tips` lead to and `base` does not.
fn builder<'a>(clone: &'a BareClone, tips: &[Oid], base: Option<Oid>) -> Result<PackBuilder<'a>, Error> {
    let mut walk = clone.revwalk()?;
    tips.iter().try_for_each(|tip| walk.push(*tip))?;
    if let Some(base) = base {
        walk.hide(base)?;
    }
    let mut builder = clone.packbuilder()?;
    // As many as there are processors.
    builder.set_threads(0);
    builder.insert_walk(&mut walk)?;
    Ok(builder)
}

/// The packs in a directory, by their names without extension.
fn packs(folder: &Path) -> io::Result<HashSet<OsString>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.map(|entry| Ok(PathBuf::from(entry?.file_name())));
    let paths = paths.collect::<io::Result<Vec<_>>>()?;
    let packs = paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "pack"));
    Ok(packs.filter_map(|path| path.file_stem()).map(OsString::from).collect())
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
