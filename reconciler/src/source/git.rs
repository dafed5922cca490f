//! A branch, tag or commit of a Git repository, followed through a bare clone. The one place that names `git2`.
//!
//! Nothing is ever checked out to disk: policies are read through trees and blobs.

mod begun;
mod budget;
mod check;
mod child;
mod commit_files;
mod commit_log;
mod committed;
mod connection;
mod content_size;
mod corruption;
mod directory;
mod document_history;
mod document_times;
mod examining;
mod fetch;
mod fetch_job;
mod fetching;
mod fingerprint;
mod formats;
mod hard_links;
mod history;
mod isolated_home;
mod job;
mod join;
mod known;
pub(super) mod limits;
mod local;
pub(crate) mod memory;
mod objects;
mod pack_index;
mod packs;
mod process;
mod protocol_failure;
mod push;
mod reachable;
mod reading;
mod reason;
mod renewing;
mod restoring;
mod secret;
mod server;
mod signed;
mod ssh_failure;
mod ssh_login;
mod storage;
mod temporary;
mod tidying;
mod tree;
mod ways;
mod work_tree;
mod worker;
pub mod writing;

use std::{fmt, path::PathBuf};

use git2::{Oid, Repository as BareClone};
use tracing::warn;

pub use self::commit_files::CommitFiles;
pub use self::commit_log::CommitLog;
pub(crate) use self::committed::Committed;
pub use self::document_history::{ChangeCommit, DocumentHistory, MAX_COMMITS, Stood, USER_TRAILER};
pub use self::document_times::DocumentTimes;
pub(crate) use self::process::command;
pub use self::ways::{Way, Ways};
pub(super) use self::{
    budget::{Cost, Excess},
    child::work_for_parent,
    committed::committed,
    content_size::ContentSize,
    reading::GitReading,
    work_tree::WorkTree,
};
use self::{
    check::Verdict, examining::Unread, known::Known, packs::Packs, reading::Origin, storage::Storage,
    worker::Worker,
};
use super::{
    abort::Abort,
    access::Access,
    checkout::{BlobId, Checkout},
    error::SourceError,
    location::{Repository, Transport},
    state_dir::{Followed, StateDir},
    target::Target,
};

/// The bare clone, and what was read of it.
pub struct GitSource {
    repository: Repository,
    target: Target,
    path: PathBuf,
    access: Access,
    clone: BareClone,
    packs: Packs,
    worker: Worker,
    /// The commit that was kept last, and what is known at it.
    known: Option<Known>,
    /// The newest commit, if it was kept: it is not read again.
    good: Option<Oid>,
    /// The last good commit of an earlier process, until it is restored.
    restorable: Option<Oid>,
    /// The commit that another process has read last, and the result.
    checked: Option<(Oid, Verdict)>,
    /// The commit for which the clone was to be begun again: if it cannot be read after that either, there is another
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
        memory::keep_no_objects();
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
            worker: Worker::default(),
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
            Err(Unread::Damaged(error)) if self.may_renew_for(tip) => {
                warn!(%error, "the clone is damaged: an empty one replaces it");
                self.discard()?;
                let tip = self.fetch()?;
                self.examine(tip, is_known)?
            }
            found => found?,
        };
        self.renewed_for = None;
        Ok(Some((checkout, GitReading { source: self, found, origin: Origin::Fetched })))
    }

    /// Ends a fetch from elsewhere.
    pub fn abort(&self) -> Abort {
        self.worker.abort()
    }
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
