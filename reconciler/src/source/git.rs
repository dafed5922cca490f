//! A branch, tag or commit of a Git repository, followed through a bare clone. The one place that names `git2`.
//!
//! Nothing is ever checked out to disk: policies are read through trees and blobs.

mod corruption;
mod credentials;
mod directory;
mod document_times;
mod fetch;
mod fetch_job;
mod fingerprint;
mod history;
mod isolated_home;
mod local;
mod packs;
mod process;
mod signed;
mod storage;
mod tree;

use std::{fmt, path::PathBuf, sync::Arc};

use git2::{Oid, Repository as BareClone};
use policies::{File, Policy};
use tracing::warn;

pub use self::document_times::DocumentTimes;
pub(super) use self::fetch_job::fetch_for_parent;
use self::{corruption::Corruption, isolated_home::Home, packs::Packs, storage::Storage, tree::Files};
use super::state_dir::{Followed, StateDir};
use super::{
    BlobId, Checkout, Revision, SourceError, StartTimes,
    abort::Abort,
    access::Access,
    ancestry::Ancestry,
    location::{Repository, Transport},
    signers::Signed,
    target::Target,
};
use crate::clock::now;

/// The bare clone, and how far it has come.
pub struct GitSource {
    repository: Repository,
    target: Target,
    path: PathBuf,
    access: Access,
    clone: BareClone,
    packs: Packs,
    /// Of the processes that fetch.
    home: Option<Home>,
    abort: Abort,
    /// The commit that was checked out last.
    tip: Option<Oid>,
    /// The one that was kept last.
    good: Option<Oid>,
    /// The commit for which the clone was begun anew: that it could not be read after that either has
    /// another cause.
    renewed_for: Option<Oid>,
    ancestry: Option<(Oid, Ancestry)>,
    /// The files of that commit.
    files: Option<Files>,
    times: DocumentTimes,
    /// The last good commit of an earlier process, until it is asked for.
    kept: Option<Oid>,
    /// Holds the clone.
    storage: Storage,
}

impl GitSource {
    /// Takes up the clone in the state folder; without one, an empty clone in a temporary folder.
    pub fn open(
        repository: Repository,
        target: Target,
        path: PathBuf,
        access: Access,
        state: Option<StateDir>,
    ) -> Result<Self, SourceError> {
        let mut storage = match state {
            Some(state) => {
                let path = path.to_string_lossy().into_owned();
                let followed = Followed { repository: repository.identity(), target: target.clone(), path };
                Storage::Kept { state, followed, saved: None }
            }
            None => Storage::temporary()?,
        };
        let (clone, kept) = storage.open()?;
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
            tip: None,
            good: None,
            renewed_for: None,
            ancestry: None,
            files: None,
            times: DocumentTimes::default(),
            kept,
            storage,
        })
    }

    /// The newest state, unless it is the one that was kept last.
    pub fn checkout(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Result<Option<Checkout>, SourceError> {
        let tip = self.fetch()?;
        // Before anything else of it is read.
        self.verify(tip)?;
        if self.good == Some(tip) {
            // Unless that has been done, in which case this does nothing.
            self.storage.save(tip);
            return Ok(None);
        }
        let read = match self.read(tip, &is_known) {
            Err(error) if self.renewed_for != Some(tip) => {
                warn!(%error, "the clone is damaged and begun anew");
                self.discard()?;
                self.renewed_for = Some(tip);
                let tip = self.fetch()?;
                self.verify(tip)?;
                self.read(tip, is_known)
            }
            read => read,
        };
        read.inspect(|_| self.renewed_for = None).map(Some)
    }

    /// The last good state of an earlier process, once and only if there is one. Who signed it has not
    /// been looked at.
    pub fn restore(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Option<Result<Checkout, SourceError>> {
        let kept = self.kept.take()?;
        Some(self.read(kept, is_known))
    }

    /// What was checked out last is good: it may be restored by a later process.
    pub fn keep(&mut self) {
        self.good = self.tip;
        if let Some(tip) = self.tip {
            self.storage.save(tip);
        }
    }

    /// Puts together what was fetched piece by piece, once there are many pieces. Kept is what is good, what may
    /// be restored, and what was fetched last, good or not: the next fetch asks for what is newer than that.
    pub fn tidy(&mut self) {
        let kept = [self.good, self.tip, self.kept, self.storage.saved()];
        let put_together = self.packs.put_together(&self.clone, kept.into_iter().flatten());
        let opened = put_together
            .and_then(|anew| Ok(if anew { Some(BareClone::open_bare(self.clone.path())?) } else { None }));
        match opened {
            Ok(Some(clone)) => self.clone = clone,
            Ok(None) => {}
            Err(error) => warn!(%error, "the packs of the clone cannot be put together"),
        }
    }

    /// Begins anew with an empty clone.
    pub fn discard(&mut self) -> Result<(), SourceError> {
        self.clone = self.storage.renew()?;
        (self.tip, self.good, self.ancestry, self.files) = (None, None, None, None);
        (self.times, self.packs) = (DocumentTimes::default(), Packs::default());
        Ok(())
    }

    fn read(&mut self, tip: Oid, is_known: impl Fn(&BlobId) -> bool) -> Result<Checkout, SourceError> {
        let unreadable = |error| failure(&format!("cannot read commit {tip}"), &error);
        let mut warnings = Vec::new();
        let known = self.files.take();
        let found = Files::of(&self.clone, tip, &self.path, known.as_ref()).map_err(unreadable)?;
        let read = found.read(&self.clone, &self.path, is_known, &mut warnings);
        let (files, above) = read.map_err(unreadable)?;
        let ancestry = history::of(&self.clone, tip, self.ancestry.as_ref()).map_err(unreadable)?;
        self.ancestry = Some((tip, ancestry.clone()));
        (self.tip, self.files) = (Some(tip), Some(found));
        let signed = self.signed(tip)?.map(Arc::new);
        let revision = Revision::new(format!("{}@sha1:{tip}", self.target.label()));
        Ok(Checkout { revision, ancestry, signed, files, above, warnings })
    }

    /// Whether somebody who may signed a commit.
    fn verify(&self, commit: Oid) -> Result<(), SourceError> {
        let Some((signers, signed)) = self.access.signers.as_ref().zip(self.signed(commit)?) else {
            return Ok(());
        };
        signers.check(Some(&signed), now()).refusal.map_or(Ok(()), |refusal| Err(SourceError(refusal)))
    }

    /// What vouches for a commit, where that is asked for.
    fn signed(&self, commit: Oid) -> Result<Option<Signed>, SourceError> {
        if self.access.signers.is_none() {
            return Ok(None);
        }
        let signed = signed::of(&self.clone, commit);
        signed.map(Some).map_err(|error| failure(&format!("cannot read commit {commit}"), &error))
    }

    /// Ends a fetch from elsewhere.
    pub fn abort(&self) -> Abort {
        self.abort.clone()
    }

    /// Fetches. If that fails because of the clone, it is mended first.
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
        warn!(%error, %corruption, "the clone is damaged and mended");
        match corruption {
            Corruption::Refs => corruption::forget_refs(&self.clone)
                .map_err(|error| SourceError(format!("cannot mend the clone: {error}")))?,
            Corruption::Objects => self.discard()?,
        }
        self.fetch_into_clone()
    }

    /// What is elsewhere is fetched by a process that can be given up; what is here at once.
    fn fetch_into_clone(&mut self) -> Result<Oid, SourceError> {
        let Self { repository, target, access, clone, home, abort, .. } = self;
        let tip = match repository {
            Repository::Local(path) => local::tip(clone, path, target)?,
            Repository::Remote { url, transport } => {
                process::tip(clone, home, url, *transport, target, access, abort)?
            }
        };
        clone.find_commit(tip).map_err(|error| failure("cannot read the clone", &error))?;
        fetch::remember(clone, target, tip)?;
        Ok(tip)
    }

    pub fn started_at(
        &mut self,
        wanted: Vec<Arc<Policy>>,
        known: impl Fn(&BlobId) -> Option<Arc<File>>,
    ) -> Result<StartTimes, SourceError> {
        let (Some(tip), Some(files)) = (self.tip, &self.files) else { return Ok(StartTimes::default()) };
        let tip = (tip, files.folder.clone());
        let times = document_times::find(&self.clone, tip, &self.path, wanted, &self.times, known);
        self.times = times.map_err(|error| failure("cannot read the history", &error))?;
        Ok(StartTimes::OfDocuments(self.times.clone()))
    }
}

/// An error of libgit2 in our words.
fn failure(what: &str, error: &git2::Error) -> SourceError {
    SourceError(format!("{what}: {}", error.message()))
}

impl fmt::Debug for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitSource({} {})", self.repository, self.target)
    }
}
