//! A commit that is being read.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use policies::{File, Policy};

use super::{
    DocumentTimes, GitSource,
    document_times::{
        Deadline, Starts, TimesError,
        job::{Times, TimesJob},
        walk::Walk,
    },
    job::Job,
    known::Known,
};
use crate::source::{checkout::BlobId, error::SourceError};

/// The time that this process gives to the history. For what takes longer there is another.
const OWN_TIME: Duration = Duration::from_millis(100);

/// A commit that is being read. The source learns of it only when it is kept.
#[derive(Debug)]
pub(in crate::source) struct GitReading<'a> {
    pub(super) source: &'a mut GitSource,
    pub(super) found: Known,
    pub(super) origin: Origin,
}

/// The origin of a commit that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is the newest one.
    Fetched,
    /// It is the last good one of an earlier process, and may be out of date.
    Restored,
    /// It was made here, and is not in the repository yet.
    Made,
}

impl GitReading<'_> {
    /// The times when the wanted documents got their present content.
    pub(in crate::source) fn starts(
        &mut self,
        wanted: Vec<Arc<Policy>>,
        known_file: impl Fn(&BlobId) -> Option<Arc<File>>,
    ) -> Result<DocumentTimes, SourceError> {
        let Self { source: GitSource { clone, path, known, worker, access, .. }, found, .. } = self;
        let earlier = known.as_ref().map(|known| (known.commit, known.times.of_all(&wanted)));
        let known = earlier.as_ref().map(|(commit, starts)| (*commit, starts));
        let deadline = Deadline(Some(Instant::now() + OWN_TIME));
        let walk = Walk { clone, path, known, deadline };
        let starts = match walk.starts((found.commit, found.files.directory.clone()), &wanted, known_file) {
            Ok(starts) => starts,
            Err(TimesError::Late) => {
                let job = Job::Times(TimesJob::new(found.commit, path, known));
                Starts::from(&worker.run::<Times>(job, clone.path(), access)?)
            }
            Err(error) => return Err(SourceError(format!("cannot read the history: {error}"))),
        };
        found.times = DocumentTimes::new(wanted, &starts);
        Ok(found.times.clone())
    }

    /// Makes the commit the last good one. A restored commit is read once more when it is fetched, since only then
    /// it is known to be the newest.
    pub(in crate::source) fn keep(self) {
        let Self { source, found, origin } = self;
        if origin == Origin::Fetched {
            source.good = Some(found.commit);
            source.storage.save(found.commit);
        }
        source.known = Some(found);
    }
}
