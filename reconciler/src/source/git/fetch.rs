//! Fetches the followed ref from a server into the clone: the objects only.
//!
//! Refs are written after all objects have arrived, so a fetch that is killed leaves nothing wrong behind. The
//! server's list of refs alone decides what the tip is: a deleted branch is gone, and a force-pushed branch is
//! where it was pushed to.

use std::{cell::Cell, collections::HashSet};

use git2::{AutotagOption, ErrorCode, FetchOptions, ObjectType, Oid, RemoteHead, Repository as BareClone};

use super::{
    connection::{Connection, FETCH},
    limits::{MAX_OBJECTS, MAX_RECEIVED},
    reason::failure,
};
use crate::source::{error::SourceError, printable::printable, target::Target};

/// The number of refs that are stored in search of a commit: each is a file.
const REMEMBERED: usize = 1_000;
/// The number of branches or tags that an error names.
const NAMED: usize = 5;

/// Fetches what is new in `repository`, and returns the commit that `target` leads to.
pub(super) fn tip(
    clone: &BareClone,
    repository: &str,
    target: &Target,
    connection: &Connection<'_>,
) -> Result<Oid, SourceError> {
    let mut callbacks = connection.callbacks();
    let is_too_much = Cell::new(false);
    callbacks.transfer_progress(|progress| {
        let is_within = progress.received_bytes() <= MAX_RECEIVED && progress.total_objects() <= MAX_OBJECTS;
        is_too_much.set(!is_within);
        is_within
    });
    let mut options = FetchOptions::new();
    options.remote_callbacks(callbacks).download_tags(AutotagOption::None);
    let unreachable = |error| connection.explain(FETCH, repository, &error);
    let mut remote = clone.remote_anonymous(repository).map_err(unreachable)?;
    // Few servers hand out a commit by its id, all of them their refs.
    let everything = || ["heads", "tags"].map(|kind| format!("refs/{kind}/*:refs/{kind}/*")).to_vec();
    let wanted = target.reference().map_or_else(everything, |reference| vec![reference]);
    remote.download(&wanted, Some(&mut options)).map_err(|error| match is_too_much.get() {
        true => SourceError(format!(
            "{repository} sends more than {MAX_RECEIVED} bytes or {MAX_OBJECTS} objects: keep the policies in a \
             smaller repository"
        )),
        false => unreachable(error),
    })?;

    let there = remote.list().map_err(unreachable)?;
    let found = match target.reference() {
        None => known_commit(clone, target),
        Some(reference) => match there.iter().find(|head| head.name() == reference) {
            None => None,
            Some(head) => {
                Some(commit(clone, head.oid()).map_err(|error| astray(repository, target, &error))?)
            }
        },
    };
    if found.is_none() && target.reference().is_none() {
        remember_all(clone, there);
    }
    found.ok_or_else(|| absent(repository, target, there.iter().map(RemoteHead::name)))
}

/// The followed commit, if the clone has it.
pub(super) fn known_commit(clone: &BareClone, target: &Target) -> Option<Oid> {
    let Target::Commit(id) = target else { return None };
    let id = Oid::from_str(id.as_str()).ok()?;
    let (_, kind) = clone.odb().ok()?.read_header(id).ok()?;
    (kind == ObjectType::Commit).then_some(id)
}

/// The commit behind an object, which may be an annotated tag.
fn commit(clone: &BareClone, id: Oid) -> Result<Oid, git2::Error> {
    clone.find_object(id, None)?.peel_to_commit().map(|commit| commit.id())
}

/// The error for a ref that exists and does not lead to a commit.
pub(super) fn astray(repository: &str, target: &Target, error: &git2::Error) -> SourceError {
    failure(&format!("{target} of {repository} does not lead to a commit"), error)
}

/// The error for a readable repository that lacks the ref, given the names of its refs.
pub(super) fn absent<'n>(
    repository: &str,
    target: &Target,
    references: impl Iterator<Item = &'n str> + Clone,
) -> SourceError {
    let named = |prefix: &str| {
        let names: Vec<_> = references.clone().filter_map(|name| name.strip_prefix(prefix)).collect();
        let named = names.iter().filter(|name| !name.ends_with("^{}"));
        let shown: Vec<_> = named.clone().take(NAMED).map(|name| format!("`{}`", printable(name))).collect();
        match named.count().saturating_sub(NAMED) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    };
    let branches = named("refs/heads/");
    let reason = match target {
        Target::Tag(_) => match named("refs/tags/") {
            tags if tags.is_empty() => format!("no {target}, nor any other tag"),
            tags => format!("no {target}; its tags are {tags}"),
        },
        _ if branches.is_empty() => format!("no {target}, nor any branch: it is empty"),
        Target::Branch(_) => format!("no {target}; its branches are {branches}"),
        Target::Commit(_) => {
            format!("no branch or tag that leads to {target}; its branches are {branches}")
        }
    };
    SourceError(format!("{repository} has {reason}"))
}

/// Stores refs to everything that was fetched in search of a commit, because the search is repeated. A ref that
/// cannot be stored is fetched again.
fn remember_all(clone: &BareClone, there: &[RemoteHead<'_>]) {
    let names: HashSet<_> = there.iter().map(RemoteHead::name).collect();
    // One that is gone could stand in the way: there is either `a` or `a/b`.
    for mut known in clone.references().into_iter().flatten().flatten() {
        if !known.name().is_ok_and(|name| names.contains(name)) {
            let _ = known.delete();
        }
    }
    let is_wanted = |name: &str| name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
    let wanted = there.iter().filter(|head| is_wanted(head.name()) && !head.name().ends_with("^{}"));
    for head in wanted.take(REMEMBERED) {
        let _ = commit(clone, head.oid()).and_then(|id| clone.reference(head.name(), id, true, "fetch"));
    }
}

/// Stores a ref to the fetched commit, so that the next fetch asks only for what is new.
pub(super) fn remember(clone: &BareClone, target: &Target, tip: Oid) -> Result<(), SourceError> {
    let Some(reference) = target.reference() else { return Ok(()) };
    match clone.refname_to_id(&reference) {
        Ok(known) if known == tip => return Ok(()),
        Err(error) if error.code() != ErrorCode::NotFound => {
            return Err(failure("cannot read the clone", &error));
        }
        _ => {}
    }
    let written = clone.reference(&reference, tip, true, "fetch");
    written.map(drop).map_err(|error| failure("cannot write to the clone", &error))
}
