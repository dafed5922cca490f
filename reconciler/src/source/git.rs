//! A branch of a Git repository, followed through a bare clone. The one place that names `git2`.
//!
//! Nothing is ever checked out to disk: policies are read through trees and blobs.

mod fetch;
mod origins;
mod tree;

use std::{fmt, path::PathBuf, sync::Arc};

use git2::{Oid, Repository as Clone};
use policies::{Policy, file::File};
use tempfile::TempDir;

pub use self::origins::Origins;
use super::{BlobId, Checkout, Revision, SourceError, Starts, location::Repository};

/// The bare clone, and how far it has come.
pub struct GitSource {
    repository: Repository,
    branch: String,
    path: PathBuf,
    clone: Clone,
    /// The commit that was checked out last.
    tip: Option<Oid>,
    origins: Origins,
    /// Holds the clone; removed with it.
    _folder: TempDir,
}

impl GitSource {
    /// Makes an empty bare clone in a temporary folder.
    pub fn open(repository: Repository, branch: String, path: PathBuf) -> Result<Self, SourceError> {
        let folder = tempfile::Builder::new().prefix("hfi-").tempdir();
        let folder =
            folder.map_err(|error| SourceError(format!("cannot make a folder for the clone: {error}")))?;
        let clone =
            Clone::init_bare(folder.path()).map_err(|error| failure("cannot make the clone", &error))?;
        Ok(Self { repository, branch, path, clone, tip: None, origins: Origins::default(), _folder: folder })
    }

    pub fn checkout(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Result<Checkout, SourceError> {
        let tip = fetch::tip(&self.clone, &self.repository, &self.branch)?;
        let mut warnings = Vec::new();
        let read = tree::files(&self.clone, tip, &self.path, is_known, &mut warnings);
        let (files, above) = read.map_err(|error| failure(&format!("cannot read commit {tip}"), &error))?;
        self.tip = Some(tip);
        let revision = Revision::new(format!("{}@sha1:{tip}", self.branch));
        Ok(Checkout { revision, files, above, warnings })
    }

    pub fn started_at(
        &mut self,
        wanted: Vec<Arc<Policy>>,
        read: impl FnMut(BlobId, &[u8]) -> Arc<File>,
    ) -> Result<Starts, SourceError> {
        let Some(tip) = self.tip else { return Ok(Starts::default()) };
        let origins = origins::find(&self.clone, tip, &self.path, wanted, &self.origins, read);
        self.origins = origins.map_err(|error| failure("cannot read the history", &error))?;
        Ok(Starts::OfDocuments(self.origins.clone()))
    }
}

/// An error of libgit2 in our words.
fn failure(what: &str, error: &git2::Error) -> SourceError {
    SourceError(format!("{what}: {}", error.message()))
}

impl fmt::Debug for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitSource({} {})", self.repository, self.branch)
    }
}
