//! A branch, tag or commit of a Git repository, followed through a bare clone. The one place that names `git2`.
//!
//! Nothing is ever checked out to disk: policies are read through trees and blobs.

mod budget;
mod check;
mod connection;
mod corruption;
mod directory;
mod document_times;
mod fetch;
mod fetch_job;
mod fingerprint;
mod formats;
mod hard_links;
mod history;
mod isolated_home;
mod job;
mod join;
mod known;
mod limits;
mod local;
mod memory;
mod objects;
mod pack_index;
mod packs;
mod process;
mod protocol_failure;
mod reachable;
mod reading;
mod secret;
mod signed;
mod ssh_login;
mod storage;
mod tree;
mod work_tree;

use std::{fmt, path::PathBuf, sync::Arc};

use git2::{Oid, Repository as BareClone};
use serde::de::DeserializeOwned;
use tracing::warn;

pub use self::document_times::DocumentTimes;
use self::{
    budget::ReadError,
    check::{CheckJob, Verdict},
    corruption::Corruption,
    fetch_job::FetchJob,
    isolated_home::{Home, known_hosts},
    job::{Fetched, InForce, Job},
    known::Known,
    local::CopyJob,
    packs::Packs,
    reading::Origin,
    storage::Storage,
    tree::Files,
};
pub(super) use self::{
    budget::{Cost, Excess},
    job::work_for_parent,
    reading::GitReading,
    tree::ContentSize,
    work_tree::WorkTree,
};
use super::{
    abort::Abort,
    access::Access,
    checkout::{BlobId, Checkout, Revision, Warning},
    error::SourceError,
    location::{Repository, Transport},
    signers::Signed,
    state_dir::{Followed, StateDir},
    target::Target,
};
use crate::clock::now;

/// The bare clone, and what was read of it.
pub struct GitSource {
    repository: Repository,
    target: Target,
    path: PathBuf,
    access: Access,
    clone: BareClone,
    packs: Packs,
    /// The home directory of the child processes.
    home: Option<Home>,
    abort: Abort,
    /// The commit that was kept last, and what is known at it.
    known: Option<Known>,
    /// The newest commit, if it was kept: it is not read again.
    good: Option<Oid>,
    /// The last good commit of an earlier process, until it is restored.
    restorable: Option<Oid>,
    /// The commit that another process has read last, and the result.
    checked: Option<(Oid, Verdict)>,
    /// The commit for which the clone was begun again: if it cannot be read after that either, there is another
    /// cause.
    renewed_for: Option<Oid>,
    /// The directory of the clone.
    storage: Storage,
}

impl GitSource {
    /// Opens the clone in the state directory; without one, an empty clone in a temporary directory.
    pub fn open(
        repository: Repository,
        target: Target,
        path: PathBuf,
        mut access: Access,
        state: Option<StateDir>,
    ) -> Result<Self, SourceError> {
        if let Repository::Remote { user: Some(user), .. } = &repository {
            access.login.username = Some(user.clone());
        }
        let mut storage = match state {
            Some(state) => {
                let path = path.to_string_lossy().into_owned();
                let followed = Followed { repository: repository.identity(), target: target.clone(), path };
                Storage::Kept { state, followed, saved: None }
            }
            None => Storage::temporary()?,
        };
        // What libgit2 keeps of the objects that it read grows with the history, and each is read once.
        git2::opts::enable_caching(false);
        let (clone, restorable) = storage.open()?;
        if repository.transport() == Some(Transport::Http) && access.login.password_file.is_some() {
            warn!(%repository, "the password goes over the network in clear text; use https");
        }
        Ok(Self {
            repository,
            target,
            path,
            access,
            clone,
            packs: Packs::default(),
            home: None,
            abort: Abort::default(),
            known: None,
            good: None,
            restorable,
            checked: None,
            renewed_for: None,
            storage,
        })
    }

    /// Reads the newest state, unless it is the one that was kept last.
    pub(super) fn read(
        &mut self,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<Option<(Checkout, GitReading<'_>)>, SourceError> {
        let tip = self.fetch()?;
        if self.good == Some(tip) {
            self.verify(tip)?;
            // Does nothing if that has been done.
            self.storage.save(tip);
            return Ok(None);
        }
        let (checkout, found) = match self.examine(tip, &is_known) {
            Err(Unread::Damaged(error)) if self.renewed_for != Some(tip) => {
                warn!(%error, "the clone is damaged: an empty one replaces it");
                self.discard()?;
                self.renewed_for = Some(tip);
                let tip = self.fetch()?;
                self.examine(tip, is_known)?
            }
            found => found?,
        };
        self.renewed_for = None;
        Ok(Some((checkout, GitReading { source: self, found, origin: Origin::Fetched })))
    }

    /// Reads the last good state of an earlier process by `load`, once and only if there is one. Its signature is not
    /// checked. What cannot be loaded is damaged, and removed.
    pub(super) fn restore<T>(
        &mut self,
        load: impl FnOnce(Checkout, GitReading<'_>) -> Result<T, SourceError>,
    ) -> Option<T> {
        let commit = self.restorable.take()?;
        // No file is known to a new process.
        let checked = self.check(commit);
        if let Err(Unread::Failed(error)) = checked {
            warn!(%error, "what is stored in the state directory is not used");
            return None;
        }
        let found = checked.and_then(|()| self.find(commit, |_| false)).map_err(SourceError::from);
        let loaded = found.and_then(|(checkout, found)| {
            load(checkout, GitReading { source: &mut *self, found, origin: Origin::Restored })
        });
        match loaded {
            Ok(loaded) => return Some(loaded),
            Err(error) => warn!(%error, "what is stored in the state directory is damaged and removed"),
        }
        if let Err(error) = self.discard() {
            warn!(%error, "the state directory cannot be used");
        }
        None
    }

    /// Joins the packs that were fetched, once there are many. The commits that are good or may be restored stay, and
    /// by its ref the one that was fetched last, good or not: the next fetch asks for what is newer than that.
    pub(super) fn tidy(&mut self) {
        let known = self.known.as_ref().map(|known| known.commit);
        let kept = [self.good, known, self.restorable, self.storage.saved()];
        let Some(job) = self.packs.join(self.clone.path(), kept.into_iter().flatten()) else { return };
        match self.run(Job::Join(job)) {
            Ok(base) => self.packs.joined(base),
            Err(error) => {
                self.packs.failed(self.clone.path());
                warn!(%error, "the packs of the clone cannot be joined");
            }
        }
        // What is removed is still open.
        match BareClone::open_bare(self.clone.path()) {
            Ok(clone) => self.clone = clone,
            Err(error) => warn!(error = error.message(), "the clone cannot be opened again"),
        }
    }

    /// Begins again with an empty clone.
    fn discard(&mut self) -> Result<(), SourceError> {
        self.clone = self.storage.renew()?;
        (self.known, self.good, self.packs, self.checked) = (None, None, Packs::default(), None);
        Ok(())
    }

    /// The files of a commit, and what is known at it.
    fn find(&self, commit: Oid, is_known: impl Fn(&BlobId) -> bool) -> Result<(Checkout, Known), Unread> {
        let Self { clone, path, known, .. } = self;
        let unread = |error| Unread::of(commit, &error);
        let mut warnings = Vec::new();
        let known_files = known.as_ref().map(|known| &known.files);
        let mut files = Files::of(clone, commit, path, known_files).map_err(unread)?;
        let read = files.read(clone, path, known_files, is_known, &mut warnings);
        let (read, above) = read.map_err(unread)?;
        let known_ancestry = known.as_ref().map(|known| (known.commit, &known.ancestry));
        let ancestry = history::of(clone, commit, known_ancestry).map_err(unread)?;
        let signed = self.signed(commit)?.map(Arc::new);
        let revision = Revision::new(format!("{}@sha1:{commit}", self.target.label()));
        let found = Known { commit, ancestry: ancestry.clone(), files, times: DocumentTimes::default() };
        let warnings = warnings.into_iter().map(|warning| Warning::new("", warning)).collect();
        Ok((Checkout { revision, ancestry, signed, files: read, above, warnings }, found))
    }

    /// Reads a commit that is not good yet.
    fn examine(
        &mut self,
        commit: Oid,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<(Checkout, Known), Unread> {
        self.check(commit)?;
        self.verify(commit)?;
        self.find(commit, is_known)
    }

    /// Reads a commit in another process first, unless that was done when it was fetched.
    fn check(&mut self, commit: Oid) -> Result<(), Unread> {
        let verdict = match self.checked.take() {
            Some((checked, verdict)) if checked == commit => verdict,
            _ => {
                let known = self.known.as_ref().map(|known| known.commit.to_string());
                let job = CheckJob { commit: commit.to_string(), path: self.path.clone(), known };
                self.run(Job::Check(job)).map_err(Unread::Failed)?
            }
        };
        let result = match &verdict {
            Verdict::Sound => Ok(()),
            Verdict::Refused(reason) => Err(Unread::Refused(format!("commit {commit} is refused: {reason}"))),
            // The next fetch may repair it.
            Verdict::Damaged(reason) => {
                return Err(Unread::Damaged(SourceError(format!("cannot read commit {commit}: {reason}"))));
            }
        };
        self.checked = Some((commit, verdict));
        result
    }

    /// Does a job on the clone in another process.
    fn run<T: DeserializeOwned>(&mut self, job: Job) -> Result<T, SourceError> {
        process::run(job, self.clone.path(), &mut self.home, &self.access, &self.abort)
    }

    /// Refuses a commit that nobody who may sign has signed.
    fn verify(&self, commit: Oid) -> Result<(), Unread> {
        let Some((signers, signed)) = self.access.signers.as_ref().zip(self.signed(commit)?) else {
            return Ok(());
        };
        signers.check(Some(&signed), now()).refusal.map_or(Ok(()), |refusal| Err(Unread::Refused(refusal)))
    }

    /// The signature of a commit, where one is asked for.
    fn signed(&self, commit: Oid) -> Result<Option<Signed>, Unread> {
        if self.access.signers.is_none() {
            return Ok(None);
        }
        signed::of(&self.clone, commit).map(Some).map_err(|error| Unread::of(commit, &error))
    }

    /// Ends a fetch from elsewhere.
    pub fn abort(&self) -> Abort {
        self.abort.clone()
    }

    /// Fetches. If that fails because the clone is damaged, it is repaired first, and fetched again.
    fn fetch(&mut self) -> Result<Oid, SourceError> {
        let error = match self.fetch_into_clone() {
            Ok(tip) => return Ok(tip),
            Err(error) => error,
        };
        let Some(corruption) =
            corruption::of(&self.clone, &self.target).filter(|_| !self.abort.is_requested())
        else {
            return Err(error);
        };
        warn!(%error, %corruption, "the clone is damaged and repaired");
        match corruption {
            Corruption::Refs => corruption::forget_refs(&self.clone)
                .map_err(|error| SourceError(format!("cannot repair the clone: {error}")))?,
            Corruption::Objects => self.discard()?,
        }
        self.fetch_into_clone()
    }

    /// Fetches in another process, and writes the ref.
    fn fetch_into_clone(&mut self) -> Result<Oid, SourceError> {
        let target = self.target.clone();
        if let Some(known) = fetch::known_commit(&self.clone, &target) {
            return Ok(known);
        }
        // A refused commit is not read again.
        let checked = self.checked.as_ref().map(|(commit, _)| *commit);
        let in_force = InForce {
            path: self.path.clone(),
            known: self.known.as_ref().map(|known| known.commit.to_string()),
            good: checked.or(self.good).map(|commit| commit.to_string()),
        };
        let job = match &self.repository {
            Repository::Local(path) => {
                Job::Copy(CopyJob { repository: path.clone(), target: target.clone() }, in_force)
            }
            Repository::Remote { url, transport, .. } => {
                let job = FetchJob {
                    repository: url.clone(),
                    transport: *transport,
                    target: target.clone(),
                    login: self.access.login.clone(),
                    ca_file: self.access.ca_file.clone(),
                    known_hosts: known_hosts(&self.access).unwrap_or_default(),
                };
                Job::Fetch(job, in_force)
            }
        };
        let Fetched { commit, verdict } = self.run(job)?;
        let tip = Oid::from_str(&commit).map_err(|error| failure("the fetch answered no commit", &error))?;
        if let Some(verdict) = verdict {
            self.checked = Some((tip, verdict));
        }
        let read = objects::commit(&self.clone, tip);
        // One that is too large is refused when it is checked.
        if let Err(ReadError::Git(error)) = read {
            return Err(failure("cannot read the clone", &error));
        }
        fetch::remember(&self.clone, &target, tip)?;
        Ok(tip)
    }
}

/// The reason why a commit is not read.
#[derive(Debug)]
enum Unread {
    /// It must not be served. Reading it once more changes nothing.
    Refused(String),
    /// It cannot be read.
    Damaged(SourceError),
    /// Reading it failed for another cause than the commit.
    Failed(SourceError),
}

impl Unread {
    fn of(commit: Oid, error: &ReadError) -> Self {
        match error {
            ReadError::Over(excess) => Self::Refused(format!("commit {commit} is refused: {excess}")),
            ReadError::Git(error) => Self::Damaged(failure(&format!("cannot read commit {commit}"), error)),
        }
    }
}

impl From<Unread> for SourceError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Refused(reason) => Self(reason),
            Unread::Damaged(error) | Unread::Failed(error) => error,
        }
    }
}

/// An error of libgit2 in our words.
fn failure(what: &str, error: &git2::Error) -> SourceError {
    SourceError(format!("{what}: {}", error.message()))
}

impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.repository, self.target)
    }
}

impl fmt::Debug for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitSource({self})")
    }
}
