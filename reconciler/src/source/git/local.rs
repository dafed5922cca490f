//! Copies the followed ref from a repository on this machine into the clone: the objects only, in the child process.
//!
//! libgit2's own transport would copy all branches, and those that are not followed again each time.

use std::{
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use git2::{Error, ErrorCode, ObjectType, Oid, PackBuilder, Repository as BareClone};
use serde::{Deserialize, Serialize};

use super::{
    budget::ReadError,
    fetch::{absent, astray, known_commit},
    formats, hard_links, reachable,
    reason::failure,
};
use crate::source::{error::SourceError, printable::printable, target::Target};

/// The largest number of new commits that are packed. When there are more, all packs are linked.
const FEW: usize = 1_000;
/// The size of a write to a new pack, in bytes: libgit2 maps the file again for each.
const CHUNK: usize = 1 << 20;

/// A repository on this machine to copy from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CopyJob {
    pub(super) repository: PathBuf,
    pub(super) target: Target,
}

/// Copies what is new, and returns the commit that the target leads to.
pub(super) fn tip(clone: &BareClone, CopyJob { repository, target }: &CopyJob) -> Result<Oid, SourceError> {
    let shown = printable(&repository.to_string_lossy()).into_owned();
    let unreadable = |error: Error| match formats::unsupported(repository) {
        Some(reason) => SourceError(format!("{shown} {reason}")),
        None => failure(&format!("cannot fetch from {shown}"), &error),
    };
    let there = BareClone::open(repository).map_err(unreadable)?;
    if let Some(reason) = formats::unsupported(repository) {
        return Err(SourceError(format!("{shown} {reason}")));
    }
    if there.is_shallow() {
        return Err(SourceError(format!(
            "{shown} is a shallow clone, and durations need the whole history: `git fetch --unshallow` brings it"
        )));
    }
    let found = match target.reference() {
        None => known_commit(&there, target),
        Some(reference) => match there.find_reference(&reference) {
            Ok(found) => {
                let commit = found.peel_to_commit().map_err(|error| astray(&shown, target, &error))?;
                Some(commit.id())
            }
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(unreadable(error)),
        },
    };
    let Some(tip) = found else {
        let names = names(&there).map_err(unreadable)?;
        return Err(absent(&shown, target, names.iter().map(String::as_str)));
    };
    if clone.find_commit(tip).is_err() {
        let before = target.reference().and_then(|reference| clone.refname_to_id(&reference).ok());
        // What was forced off the branch may be gone there.
        let before = before.filter(|before| there.find_commit(*before).is_ok());
        if formats::is_partial(repository) && !is_whole(&there, tip, before) {
            return Err(SourceError(format!("{shown} {}", formats::PARTIAL)));
        }
        copy(&there, clone, tip, before).map_err(unreadable)?;
    }
    Ok(tip)
}

/// Copies a commit and its history, except the history of the commit that was followed before.
fn copy(from: &BareClone, to: &BareClone, commit: Oid, before: Option<Oid>) -> Result<(), Error> {
    let are_few = |before| -> Result<bool, Error> {
        let mut walk = from.revwalk()?;
        walk.push(commit)?;
        walk.hide(before)?;
        Ok(walk.take(FEW + 1).count() <= FEW)
    };
    if before.map(are_few).transpose()? != Some(true) && link(from, to, commit) {
        return Ok(());
    }
    let mut walk = from.revwalk()?;
    walk.push(commit)?;
    if let Some(before) = before {
        walk.hide(before)?;
    }
    let mut builder = from.packbuilder()?;
    builder.insert_walk(&mut walk)?;
    write(&mut builder, to)
}

/// Links or copies all objects; false if the commit is not among them: the files there are not as expected.
fn link(from: &BareClone, to: &BareClone, commit: Oid) -> bool {
    let objects = |repository: &Path| repository.join("objects");
    let link = || -> Option<()> {
        let loose = hard_links::link(&objects(from.commondir()), &objects(to.path())).ok()?;
        let mut builder = from.packbuilder().ok()?;
        for id in loose {
            builder.insert_object(id, None).ok()?;
        }
        if builder.object_count() > 0 {
            write(&mut builder, to).ok()?;
        }
        to.odb().ok()?.refresh().ok()?;
        to.find_commit(commit).ok()?.tree().ok().map(drop)
    };
    link().is_some()
}

pub(super) fn write(builder: &mut PackBuilder<'_>, to: &BareClone) -> Result<(), Error> {
    // As many as there are processors.
    builder.set_threads(0);
    let odb = to.odb()?;
    let mut pack = odb.packwriter()?;
    let mut writer = BufWriter::with_capacity(CHUNK, &mut pack);
    // The writer has no words of its own for what failed.
    let mut failed = None;
    let walked = builder.foreach(|bytes| {
        failed = writer.write_all(bytes).err().map(|_| Error::last_error(-1));
        failed.is_none()
    });
    failed.map_or(walked, Err)?;
    writer.flush().map_err(|_| Error::last_error(-1))?;
    drop(writer);
    pack.commit().map(drop)
}

/// True if no object is missing of what is newer than `before`.
fn is_whole(repository: &BareClone, tip: Oid, before: Option<Oid>) -> bool {
    let Ok(odb) = repository.odb() else { return false };
    let visited = reachable::visit(repository, &[tip], before, |id, kind, _| match kind {
        ObjectType::Blob if !odb.exists(id) => Err(ReadError::Git(Error::from_str("an object is missing"))),
        _ => Ok(()),
    });
    visited.is_ok()
}

/// The names of all branches and tags.
fn names(repository: &BareClone) -> Result<Vec<String>, Error> {
    let references = repository.references()?;
    // They are for people to read: one that cannot be shown is left out.
    Ok(references.flatten().filter_map(|reference| Some(reference.name().ok()?.to_owned())).collect())
}
