//! Copies the followed ref from a repository on this machine into the clone: the objects only.
//!
//! libgit2's own transport would copy all branches, and those that are not followed again each time.

use std::{io::Write as _, path::Path};

use git2::{Error, ErrorCode, Oid, Repository as BareClone};

use super::{
    failure,
    fetch::{absent, astray, known_commit},
};
use crate::source::{error::SourceError, target::Target};

/// Copies what is new in the repository at `path`, and returns the commit that `target` leads to.
pub(super) fn tip(clone: &BareClone, path: &Path, target: &Target) -> Result<Oid, SourceError> {
    if let Some(known) = known_commit(clone, target) {
        return Ok(known);
    }
    let shown = path.display().to_string();
    let unreadable = |error: Error| failure(&format!("cannot fetch from {shown}"), &error);
    let there = BareClone::open(path).map_err(unreadable)?;
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
        let branches = branches(&there).map_err(unreadable)?;
        let branches: Vec<_> = branches.iter().map(String::as_str).collect();
        return Err(absent(&shown, target, &branches));
    };
    if clone.find_commit(tip).is_err() {
        copy(&there, clone, tip, target).map_err(unreadable)?;
    }
    Ok(tip)
}

/// Copies a commit and its history, except the history of the commit that was followed before.
fn copy(from: &BareClone, to: &BareClone, commit: Oid, target: &Target) -> Result<(), Error> {
    let mut walk = from.revwalk()?;
    walk.push(commit)?;
    let before = target.reference().and_then(|reference| to.refname_to_id(&reference).ok());
    // What was forced off the branch may be gone there.
    if let Some(before) = before.filter(|before| from.find_commit(*before).is_ok()) {
        walk.hide(before)?;
    }
    let mut builder = from.packbuilder()?;
    // As many as there are processors.
    builder.set_threads(0);
    builder.insert_walk(&mut walk)?;
    let odb = to.odb()?;
    let mut writer = odb.packwriter()?;
    let mut written = Ok(());
    builder.foreach(|bytes| {
        written = writer.write_all(bytes);
        written.is_ok()
    })?;
    written.map_err(|error| Error::from_str(&error.to_string()))?;
    writer.commit().map(drop)
}

fn branches(repository: &BareClone) -> Result<Vec<String>, Error> {
    let references = repository.references_glob("refs/heads/*")?;
    // They are for people to read: one that cannot be shown is left out.
    Ok(references.flatten().filter_map(|reference| Some(reference.shorthand().ok()?.to_owned())).collect())
}
