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
mod known;
mod local;
mod packs;
mod process;
mod reading;
mod signed;
mod storage;
mod tree;

use std::{fmt, path::PathBuf, sync::Arc};

use git2::{Oid, Repository as BareClone};
use tracing::warn;

pub use self::document_times::DocumentTimes;
use self::{
    corruption::Corruption, isolated_home::Home, known::Known, packs::Packs, reading::Origin,
    storage::Storage, tree::Files,
};
pub(super) use self::{fetch_job::fetch_for_parent, reading::GitReading};
use super::{
    abort::Abort,
    access::Access,
    checkout::{BlobId, Checkout, Revision},
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
    /// The home directory of the processes that fetch.
    home: Option<Home>,
    abort: Abort,
    /// The commit that was kept last, and what is known at it.
    known: Option<Known>,
    /// The newest commit, if it was kept: it is not read again.
    good: Option<Oid>,
    /// The last good commit of an earlier process, until it is restored.
    restorable: Option<Oid>,
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
        // Before anything else of it is read.
        self.verify(tip)?;
        if self.good == Some(tip) {
            // Does nothing if that has been done.
            self.storage.save(tip);
            return Ok(None);
        }
        let (checkout, found) = match self.find(tip, &is_known) {
            Err(error) if self.renewed_for != Some(tip) => {
                warn!(%error, "the clone is damaged: an empty one replaces it");
                self.discard()?;
                self.renewed_for = Some(tip);
                let tip = self.fetch()?;
                self.verify(tip)?;
                self.find(tip, is_known)?
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
        let loaded = self.find(commit, |_| false).and_then(|(checkout, found)| {
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
        let joined = self.packs.put_together(&self.clone, kept.into_iter().flatten());
        let opened = joined.and_then(|joined| {
            Ok(if joined { Some(BareClone::open_bare(self.clone.path())?) } else { None })
        });
        match opened {
            Ok(Some(clone)) => self.clone = clone,
            Ok(None) => {}
            Err(error) => warn!(%error, "the packs of the clone cannot be put together"),
        }
    }

    /// Begins again with an empty clone.
    fn discard(&mut self) -> Result<(), SourceError> {
        self.clone = self.storage.renew()?;
        (self.known, self.good, self.packs) = (None, None, Packs::default());
        Ok(())
    }

    /// The files of a commit, and what is known at it.
    fn find(
        &self,
        commit: Oid,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<(Checkout, Known), SourceError> {
        let Self { clone, path, known, .. } = self;
        let unreadable = |error| failure(&format!("cannot read commit {commit}"), &error);
        let mut warnings = Vec::new();
        let known_files = known.as_ref().map(|known| &known.files);
        let files = Files::of(clone, commit, path, known_files).map_err(unreadable)?;
        let read = files.read(clone, path, is_known, &mut warnings);
        let (read, above) = read.map_err(unreadable)?;
        let known_ancestry = known.as_ref().map(|known| (known.commit, &known.ancestry));
        let ancestry = history::of(clone, commit, known_ancestry).map_err(unreadable)?;
        let signed = self.signed(commit)?.map(Arc::new);
        let revision = Revision::new(format!("{}@sha1:{commit}", self.target.label()));
        let found = Known { commit, ancestry: ancestry.clone(), files, times: DocumentTimes::default() };
        Ok((Checkout { revision, ancestry, signed, files: read, above, warnings }, found))
    }

    /// Refuses a commit that nobody who may sign has signed.
    fn verify(&self, commit: Oid) -> Result<(), SourceError> {
        let Some((signers, signed)) = self.access.signers.as_ref().zip(self.signed(commit)?) else {
            return Ok(());
        };
        signers.check(Some(&signed), now()).refusal.map_or(Ok(()), |refusal| Err(SourceError(refusal)))
    }

    /// The signature of a commit, where one is asked for.
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

    /// Fetches. If that fails because the clone is damaged, it is mended first, and fetched again.
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

    /// Fetches from a repository on this machine directly, and from another machine by a process that can be given up.
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
