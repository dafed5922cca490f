//! A push to a repository on this machine, in the child process: the objects as one pack, and then the ref under its
//! lock.
//!
//! Git's own hooks do not run: nothing of a repository that is only named is executed. A repository with hooks is
//! pushed to by a URL of SSH or HTTP.

use std::{
    collections::HashSet,
    fs::File,
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use git2::{Error, ErrorCode, Oid, Reference, Repository as BareClone};

use super::{
    job::{PushJob, commit_id, oid},
    outcome::PushOutcome,
};
use crate::{
    io_reason::io_reason,
    source::{
        git::{
            begun::{tell_begun, uninterrupted},
            formats, join, local,
            reason::{failure, reason},
        },
        printable::printable,
    },
};

/// The entry in the log of the ref.
const LOG: &str = "push by hfi";
/// The time that another process gets to let go of the lock of the ref.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// The most refs whose history is taken as known there.
const MOST_KNOWN: usize = 1_000;

/// The commit that a ref is at.
pub(super) fn tip(path: &Path, reference: &str) -> Result<Option<Oid>, Error> {
    let there = BareClone::open(path)?;
    match there.refname_to_id(reference) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// True if somebody works on the branch in a work tree of the repository: the files there would be left behind.
pub(in crate::source::git) fn is_checked_out(path: &Path, reference: &str) -> Result<bool, Error> {
    let there = BareClone::open(path)?;
    let is_at = |repository: &BareClone| {
        let head = repository.find_reference("HEAD");
        head.is_ok_and(|head| head.symbolic_target().is_ok_and(|target| target == Some(reference)))
    };
    // The worktree that was named, and the main one, if there is one.
    if !there.is_bare() && is_at(&there) {
        return Ok(true);
    }
    let main = BareClone::open(there.commondir())?;
    if !main.is_bare() && is_at(&main) {
        return Ok(true);
    }
    let names = there.worktrees()?;
    let linked = names.iter().flatten().flatten().filter_map(|name| there.find_worktree(name).ok());
    Ok(linked.filter_map(|worktree| BareClone::open_from_worktree(&worktree).ok()).any(|other| is_at(&other)))
}

/// Pushes, and tells the parent before the ref is written.
pub(super) fn push(clone: &BareClone, path: &Path, job: &PushJob) -> PushOutcome {
    match write(clone, path, job) {
        Ok(outcome) => outcome,
        Err(cause) => {
            let path = path.to_string_lossy();
            PushOutcome::Unreachable { reason: format!("cannot push to {}: {cause}", printable(&path)) }
        }
    }
}

/// The reason why nothing was written.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("{}", reason(.0))]
    Git(#[from] Error),
    #[error("{}", io_reason(.0))]
    Io(#[from] io::Error),
    #[error("it {0}")]
    Format(&'static str),
}

fn write(clone: &BareClone, path: &Path, job: &PushJob) -> Result<PushOutcome, Cause> {
    let unsupported = || formats::unsupported(path).map(Cause::Format);
    let there = BareClone::open(path).map_err(|error| unsupported().unwrap_or(Cause::Git(error)))?;
    if let Some(cause) = unsupported() {
        return Err(cause);
    }
    if is_checked_out(path, &job.reference)? {
        let words =
            "the branch is checked out there: the files of that work tree would be left behind".to_owned();
        return Ok(PushOutcome::Refused { words });
    }
    let now = tip(path, &job.reference)?;
    if now == Some(oid(job.tip)) {
        return Ok(PushOutcome::Pushed { link: None });
    }
    if !now.map_or(job.from.is_none(), |now| job.is_on_the_way(clone, now)) {
        return Ok(PushOutcome::LostRace { head: now.map(commit_id) });
    }
    send_objects(clone, &there, job, now)?;
    tell_begun()?;
    update(&there, job, now.unwrap_or(Oid::ZERO_SHA1))
}

/// Writes the objects that are new there, and waits until they are on the disk.
fn send_objects(clone: &BareClone, there: &BareClone, job: &PushJob, now: Option<Oid>) -> Result<(), Cause> {
    let mut walk = clone.revwalk()?;
    walk.push(oid(job.tip))?;
    // The branch itself first: it may not be among the first refs.
    let peeled = |reference: Reference<'_>| reference.peel_to_commit().ok().map(|commit| commit.id());
    let others = there.references()?.flatten().take(MOST_KNOWN).filter_map(peeled);
    for known in now.into_iter().chain(others) {
        if clone.find_commit(known).is_ok() {
            walk.hide(known)?;
        }
    }
    let mut pack = clone.packbuilder()?;
    pack.insert_walk(&mut walk)?;
    let directory = there.commondir().join("objects").join("pack");
    let before = join::names(&directory)?;
    local::write(&mut pack, there)?;
    let after = join::names(&directory)?;
    sync(&directory, after.difference(&before).collect())?;
    Ok(())
}

fn sync(directory: &Path, packs: HashSet<&String>) -> io::Result<()> {
    for name in packs {
        for ending in ["pack", "idx"] {
            File::open(directory.join(name).with_extension(ending))?.sync_all()?;
        }
    }
    File::open(directory)?.sync_all()
}

/// Moves the ref under its lock, if it is still where it was.
#[expect(clippy::disallowed_methods, reason = "the lock of a ref is a file, whose end cannot be awaited")]
fn update(there: &BareClone, job: &PushJob, was: Oid) -> Result<PushOutcome, Cause> {
    let until = Instant::now() + PATIENCE;
    let lost = || {
        let head = there.refname_to_id(&job.reference).ok().map(commit_id);
        Ok(PushOutcome::LostRace { head })
    };
    loop {
        let whole = uninterrupted();
        let moved = match job.from {
            Some(_) => there.reference_matching(&job.reference, oid(job.tip), true, was, LOG),
            None => there.reference(&job.reference, oid(job.tip), false, LOG),
        };
        drop(whole);
        match moved {
            Ok(_) => return Ok(PushOutcome::Pushed { link: None }),
            Err(error) => match error.code() {
                ErrorCode::Modified | ErrorCode::NotFound | ErrorCode::Exists => return lost(),
                ErrorCode::Locked if Instant::now() < until => thread::sleep(PAUSE),
                _ => return Err(Cause::Git(error)),
            },
        }
    }
}

/// Says that a repository cannot be read.
pub(in crate::source::git) fn unreadable(path: &Path, error: &Error) -> String {
    failure(&format!("cannot read {}", printable(&path.to_string_lossy())), error).0
}
