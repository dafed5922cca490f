//! The source of the policies: a branch of a Git repository, or a plain directory.
//!
//! A source is read in one go: [`Source::read`] gives a [`Reading`], which holds the
//! [`Checkout`], and is kept once it has been loaded. A checkout is the revision and the policy files, each by the
//! hash of its content, so that what is known already is not read again. A failure of the source changes nothing
//! that is served.

pub mod abort;
pub mod access;
pub mod ancestry;
pub(crate) mod bounded_read;
mod checkout;
pub mod dir;
mod entry;
mod error;
pub mod git;
pub mod location;
pub(crate) mod names;
pub(crate) mod printable;
pub mod reading;
mod settings;
pub mod signers;
pub mod state_dir;
pub mod target;
pub mod watch;
mod watched;
pub mod writing;

use std::{fmt, process::ExitCode};

use self::{
    abort::Abort,
    dir::DirSource,
    git::{CommitLog, DocumentHistory, GitSource},
    reading::Reading,
    state_dir::StateDir,
};
pub use self::{
    checkout::{BlobId, Checkout, CheckoutFile, Content, Revision, Warning},
    error::SourceError,
    settings::Settings,
};

/// A source and its memory between two reads.
pub enum Source {
    Git(Box<GitSource>),
    Dir(DirSource),
}

/// Works on the clone of a repository, in a child process of `hfi serve` that runs this very program.
pub fn work_for_parent() -> ExitCode {
    git::work_for_parent()
}

impl Source {
    /// Prepares a source; nothing is fetched yet. A clone that outlives the process goes to `state`; of a plain
    /// directory nothing does.
    pub fn open(settings: Settings, state: Option<StateDir>) -> Result<Self, SourceError> {
        Ok(match settings {
            Settings::Git { repository, target, path, access } => {
                Self::Git(Box::new(GitSource::open(repository, target, path, *access, state)?))
            }
            Settings::Dir(root) => Self::Dir(DirSource::new(root)),
        })
    }

    /// Ends a read under way that waits for another process or server, with an error.
    pub fn abort(&self) -> Abort {
        match self {
            Self::Git(git) => git.abort(),
            Self::Dir(_) => Abort::default(),
        }
    }

    /// Reads the newest state; `None` if it is the one that was kept last. Blocks. Files whose content `is_known`
    /// come without it.
    pub fn read(&mut self, is_known: impl Fn(&BlobId) -> bool) -> Result<Option<Reading<'_>>, SourceError> {
        match self {
            Self::Git(git) => {
                let read = git.read(is_known)?;
                Ok(read.map(|(checkout, git)| Reading::of_commit(checkout, git)))
            }
            Self::Dir(dir) => dir.checkout(is_known).map(Reading::of_directory).map(Some),
        }
    }

    /// Reads the last good state of an earlier process, if there is one, by `load`. Blocks. What cannot be loaded is
    /// damaged, and removed.
    pub fn restore<T>(&mut self, load: impl FnOnce(Reading<'_>) -> Result<T, SourceError>) -> Option<T> {
        match self {
            Self::Git(git) => git.restore(|checkout, git| load(Reading::of_commit(checkout, git))),
            Self::Dir(_) => None,
        }
    }

    /// The histories of documents; a directory has none.
    pub fn document_history(&self) -> Option<DocumentHistory> {
        match self {
            Self::Git(git) => Some(git.document_history()),
            Self::Dir(_) => None,
        }
    }

    /// What commits say of themselves; a directory has none.
    pub fn commit_log(&self) -> Option<CommitLog> {
        match self {
            Self::Git(git) => Some(git.commit_log()),
            Self::Dir(_) => None,
        }
    }

    /// Puts the storage in order. Blocks. Not a part of reading, since it may take long: nobody waits for it when it
    /// comes after publishing. What was fetched and refused needs it too.
    pub fn tidy(&mut self) {
        if let Self::Git(git) = self {
            git.tidy();
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Git(git) => fmt::Display::fmt(git, f),
            Self::Dir(dir) => fmt::Display::fmt(dir, f),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Git(git) => fmt::Debug::fmt(git, f),
            Self::Dir(dir) => fmt::Debug::fmt(dir, f),
        }
    }
}
