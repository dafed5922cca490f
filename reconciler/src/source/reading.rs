//! A checkout that is being read, and the times when its documents got their content.

use std::{collections::HashMap, sync::Arc};

use policies::{File, Policy, repository::Start};

use super::{
    checkout::{BlobId, Checkout, CheckoutFile},
    error::SourceError,
    git::{DocumentTimes, GitReading},
};

/// A checkout that is being read. It borrows its source, which cannot be read again meanwhile. Dropped, it leaves
/// the source as it was: the same state comes again.
#[derive(Debug)]
#[must_use]
pub struct Reading<'a> {
    checkout: Checkout,
    /// Absent for a directory, which remembers nothing.
    git: Option<GitReading<'a>>,
}

impl<'a> Reading<'a> {
    pub(super) fn of_commit(checkout: Checkout, git: GitReading<'a>) -> Self {
        Self { checkout, git: Some(git) }
    }

    pub(super) fn of_directory(checkout: Checkout) -> Self {
        Self { checkout, git: None }
    }

    /// The revision and its files.
    pub fn checkout(&self) -> &Checkout {
        &self.checkout
    }

    /// The times when documents got their present content: of `wanted`, those whose duration counts from then.
    /// `known` files are not parsed again.
    pub fn starts(
        &mut self,
        wanted: Vec<Arc<Policy>>,
        known: impl Fn(&BlobId) -> Option<Arc<File>>,
    ) -> Result<StartTimes, SourceError> {
        match &mut self.git {
            Some(git) => git.starts(wanted, known).map(StartTimes::OfDocuments),
            None => Ok(StartTimes::of_files(&self.checkout)),
        }
    }

    /// Keeps the checkout as the last good one, and hands it out. This is the only way to own it, so that nothing is
    /// served that was not kept.
    pub fn keep(self) -> Checkout {
        if let Some(git) = self.git {
            git.keep();
        }
        self.checkout
    }
}

/// The times when documents got their present content.
#[derive(Debug)]
pub enum StartTimes {
    OfDocuments(DocumentTimes),
    OfFiles(HashMap<Arc<str>, Start>),
}

impl StartTimes {
    /// The modification times of the files, for all their documents.
    fn of_files(checkout: &Checkout) -> Self {
        let modified = |file: &CheckoutFile| Some((Arc::clone(&file.path), file.modified?.into()));
        Self::OfFiles(checkout.files.iter().filter_map(modified).collect())
    }

    /// The time when the document of this policy, in the file at `path`, got its content.
    pub fn of(&self, path: &str, policy: &Policy) -> Option<Start> {
        match self {
            Self::OfDocuments(times) => times.of(policy),
            Self::OfFiles(modified) => modified.get(path).copied(),
        }
    }
}
