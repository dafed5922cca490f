//! Examines a commit: whether it can be read, whether it is signed, and what is in it.

use std::sync::Arc;

use git2::Oid;

use super::{
    GitSource,
    budget::ReadError,
    check::{CheckJob, Verdict},
    document_times::DocumentTimes,
    history,
    job::Job,
    known::Known,
    reason::failure,
    signed,
    tree::{Files, prefix},
};
use crate::{
    clock::now,
    source::{
        checkout::{BlobId, Checkout, Revision, Warning},
        error::SourceError,
        signers::Signed,
    },
};

/// The reason why a commit is not read.
#[derive(Debug)]
pub(super) enum Unread {
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

impl GitSource {
    /// The files of a commit, and what is known at it.
    pub(super) fn find(
        &self,
        commit: Oid,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<(Checkout, Known), Unread> {
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
        let directory = prefix(path);
        Ok((Checkout { revision, ancestry, signed, directory, files: read, above, warnings }, found))
    }

    /// Reads a commit that is not good yet.
    pub(super) fn examine(
        &mut self,
        commit: Oid,
        is_known: impl Fn(&BlobId) -> bool,
    ) -> Result<(Checkout, Known), Unread> {
        self.check(commit)?;
        self.verify(commit)?;
        self.find(commit, is_known)
    }

    /// Reads a commit in another process first, unless that was done when it was fetched.
    pub(super) fn check(&mut self, commit: Oid) -> Result<(), Unread> {
        let verdict = match self.checked.take() {
            Some((checked, verdict)) if checked == commit => verdict,
            _ => {
                let known = self.known.as_ref().map(|known| known.commit.to_string());
                let job = CheckJob { commit: commit.to_string(), path: self.path.clone(), known };
                self.worker.run(Job::Check(job), self.clone.path(), &self.access).map_err(Unread::Failed)?
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

    /// Refuses a commit that nobody who may sign has signed.
    pub(super) fn verify(&self, commit: Oid) -> Result<(), Unread> {
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
}
