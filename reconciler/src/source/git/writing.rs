//! Writes to the followed branch: commits are made in a clone that only writes use, and pushed.
//!
//! The clone is one of the repository that is pushed to, never of a mirror of it, and it is read as the clone that is
//! served from: with the same limits, and what comes from elsewhere in the same child processes. A write that fails, or a
//! process that is killed in the middle of one, costs this clone at most, which is made again.

mod author;
mod branch_name;
mod committing;
mod file_name;
mod new_commit;
mod new_paths;
mod place;
mod pushing;
mod read_commit_error;
mod settling;
mod unstored;

use std::{cell::Cell, path::PathBuf};

use git2::Oid;
use policies::reading::MAX_FILE_BYTES;
use tracing::warn;

pub use self::{
    author::Author,
    branch_name::BranchName,
    new_commit::{CommitError, NewCommit},
    new_paths::NewPaths,
    read_commit_error::ReadCommitError,
    settling::Settled,
};
use self::{place::Place, unstored::Unstored};
pub use super::push::PushOutcome;
use super::{
    GitSource,
    budget::{Excess, ReadError},
    examining::Unread,
    job::Job,
    objects,
    push::job::{commit_id, oid},
    reading::{GitReading, Origin},
    reason::failure,
    worker::Worker,
};
use crate::source::{
    abort::Abort,
    access::Access,
    ancestry::CommitId,
    checkout::{BlobId, Checkout},
    error::SourceError,
    location::Repository,
    printable::printable,
    signers::SigningKey,
    target::{RefName, Target},
};

/// The settings of a writer.
#[derive(Clone, Debug)]
pub struct WriterSettings {
    /// The repository that is pushed to. It is read for writes, too.
    pub repository: Repository,
    /// The branch that is served.
    pub branch: RefName,
    /// The policy directory.
    pub path: PathBuf,
    /// The credentials to push with, the trusted signers, and the longest time that a job takes.
    pub access: Access,
    /// The key that signs commits.
    pub signing_key: Option<SigningKey>,
}

/// A clone for writes. All methods block; one thread uses it.
#[derive(Debug)]
pub struct Writer {
    pub(super) source: GitSource,
    branch: RefName,
    key: Option<SigningKey>,
    /// The commits that were made since the last push.
    unstored: Option<Unstored>,
    /// The commit that was pushed last to the branch that is served.
    pushed: Option<Oid>,
    /// The commits whose push had an unknown end.
    unsettled: Vec<Oid>,
    /// True if the clone could not be read or written since it was fetched to last: it may be damaged.
    is_doubtful: Cell<bool>,
    /// The commit for which the clone was begun again because of that. Once is enough.
    renewed_at: Option<Oid>,
}

impl Writer {
    /// A writer with an empty clone in a temporary directory. Nothing is fetched yet.
    pub fn open(settings: WriterSettings) -> Result<Self, SourceError> {
        let WriterSettings { repository, branch, path, access, signing_key } = settings;
        let source = GitSource::open(repository, Target::Branch(branch.clone()), path, access, None)?;
        Ok(Self {
            source,
            branch,
            key: signing_key,
            unstored: None,
            pushed: None,
            unsettled: Vec::new(),
            is_doubtful: Cell::new(false),
            renewed_at: None,
        })
    }

    /// Ends from elsewhere what is under way, except a push that has begun.
    pub fn abort(&self) -> Abort {
        self.source.abort()
    }

    /// The newest state, unless it is the one that was kept last. Commits that were made and not pushed are forgotten.
    pub(in crate::source) fn fetched(
        &mut self,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<Option<(Checkout, GitReading<'_>)>, SourceError> {
        self.unstored = None;
        self.renew_if_doubtful()?;
        self.source.read(is_known)
    }

    /// The state of the branch that was pushed last, unless it is the one that was kept last. It stands on one that another
    /// process has read, and differs by what was sent, whose size is limited. So no other process need read it.
    pub(in crate::source) fn pushed(
        &mut self,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<Option<(Checkout, GitReading<'_>)>, SourceError> {
        self.unstored = None;
        let tip = self.tip().map(oid);
        let known = [self.source.good, self.pushed];
        let Some(tip) = tip.filter(|tip| !self.is_doubtful.get() && known.contains(&Some(*tip))) else {
            return Err(SourceError("the branch is to be fetched".to_owned()));
        };
        self.source.verify(tip)?;
        if self.source.good == Some(tip) {
            return Ok(None);
        }
        // Of an earlier commit.
        self.source.checked = None;
        let (checkout, found) = self.source.find(tip, is_known)?;
        Ok(Some((checkout, GitReading { source: &mut self.source, found, origin: Origin::Fetched })))
    }

    /// Begins the clone again if it may be damaged: while the branch stands still, no fetch looks at it.
    fn renew_if_doubtful(&mut self) -> Result<(), SourceError> {
        let Some(good) = self.source.good.filter(|_| self.is_doubtful.take()) else { return Ok(()) };
        if self.renewed_at.replace(good) != Some(good) && self.source.may_renew_for(good) {
            warn!("the clone for writes may be damaged: an empty one replaces it");
            self.source.discard()?;
        }
        Ok(())
    }

    /// Forgets the commits that were made and not pushed.
    pub fn forget_made(&mut self) {
        self.unstored = None;
    }

    /// The commit that was kept last.
    pub fn head(&self) -> Option<CommitId> {
        self.source.good.map(commit_id)
    }

    /// A commit that was made here and is not pushed. It stands on one that another process has read, and differs by
    /// what was sent, whose size is limited. So no other process need read it first.
    pub(in crate::source) fn made(
        &mut self,
        commit: CommitId,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<(Checkout, GitReading<'_>), ReadCommitError> {
        self.store().map_err(ReadCommitError::Failed)?;
        let verified = self.source.verify(oid(commit));
        let examined = verified.and_then(|()| self.source.find(oid(commit), is_known));
        let (checkout, found) =
            examined.inspect_err(|unread| self.doubt(matches!(unread, Unread::Damaged(_))))?;
        Ok((checkout, GitReading { source: &mut self.source, found, origin: Origin::Made }))
    }

    /// The commit that was fetched or pushed last, also if it was refused.
    pub fn tip(&self) -> Option<CommitId> {
        self.source.clone.refname_to_id(&self.reference()).ok().map(commit_id)
    }

    /// True if the clone has a commit.
    pub fn knows(&self, commit: CommitId) -> bool {
        self.source.clone.find_commit(oid(commit)).is_ok()
    }

    /// True if a commit is `tip`, or one below it.
    pub fn has(&self, tip: CommitId, commit: CommitId) -> Result<bool, SourceError> {
        let clone = &self.source.clone;
        // All that the branch has was fetched.
        let is_here = clone.odb().map(|odb| odb.exists(oid(commit)));
        let has = is_here.and_then(|is_here| {
            Ok(is_here && (tip == commit || clone.graph_descendant_of(oid(tip), oid(commit))?))
        });
        has.map_err(|error| failure("cannot read the clone", &error))
    }

    /// The content of a regular file at a commit.
    pub fn file(&self, commit: CommitId, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let read = || match self.place(commit, path)? {
            Place::File { blob, .. } => {
                let size = objects::size(self.repository(), blob)?;
                if size > MAX_FILE_BYTES {
                    let path = printable(path);
                    return Err(
                        Excess::new(format!("{path} has {size} bytes, more than a policy file may")).into()
                    );
                }
                Ok(Some(objects::content(self.repository(), blob)?))
            }
            Place::Free | Place::Blocked(_) => Ok(None),
        };
        read().map_err(|error: ReadError| {
            self.doubt(matches!(error, ReadError::Git(_)));
            unreadable(commit, &error)
        })
    }

    /// The reason why no new file can be at a path; `None` if it can, and if one is there already. It completes a
    /// sentence whose subject is the path.
    pub fn obstacle(&self, commit: CommitId, path: &str) -> Result<Option<String>, SourceError> {
        match self.place(commit, path).map_err(|error| unreadable(commit, &error))? {
            Place::Blocked(reason) => Ok(Some(reason)),
            Place::File { .. } | Place::Free => Ok(None),
        }
    }

    fn doubt(&self, is_doubtful: bool) {
        if is_doubtful {
            self.is_doubtful.set(true);
        }
    }

    fn place(&self, commit: CommitId, path: &str) -> Result<Place, ReadError> {
        let repository = self.repository();
        let root = objects::root(repository, &objects::commit(repository, oid(commit))?)?;
        place::at(repository, &root, path)
    }

    /// Puts the clone in order. It may take long, so nobody should wait for it.
    pub fn tidy(&mut self) {
        // What is not in the branch would be dropped.
        if self.unsettled.is_empty() {
            self.source.tidy();
        }
    }
}

/// True if a branch is checked out in a work tree of a repository on this machine. The files there would be left behind
/// by a push.
pub fn is_checked_out(
    repository: &Repository,
    branch: &RefName,
    access: &Access,
) -> Result<bool, SourceError> {
    let Repository::Local(path) = repository else { return Ok(false) };
    let job = Job::IsCheckedOut(path.clone(), Target::Branch(branch.clone()));
    Worker::default().run(job, path, access)
}

fn unreadable(commit: CommitId, error: &ReadError) -> SourceError {
    SourceError(format!("cannot read commit {commit}: {error}"))
}
