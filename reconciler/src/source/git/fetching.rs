//! Fetches the followed ref into the clone, and repairs the clone where that fails because of damage.

use git2::Oid;
use tracing::warn;

use super::{
    GitSource,
    budget::ReadError,
    corruption::{self, Corruption},
    fetch,
    fetch_job::FetchJob,
    job::{Fetched, InForce, Job},
    local::CopyJob,
    objects,
    reason::failure,
    server::Server,
};
use crate::{
    io_reason::io_reason,
    source::{error::SourceError, location::Repository},
};

impl GitSource {
    /// Fetches. If that fails because the clone is damaged, it is repaired first, and fetched again.
    pub(super) fn fetch(&mut self) -> Result<Oid, SourceError> {
        let error = match self.fetch_into_clone() {
            Ok(tip) => return Ok(tip),
            Err(error) => error,
        };
        let job = Job::Diagnose(self.target.clone());
        let found = self.worker.run(job, self.clone.path(), &self.access);
        // Where it cannot be searched for damage, the clone stays as it is.
        let Ok(Some(corruption)) = found else { return Err(error) };
        warn!(%error, %corruption, "the clone is damaged and repaired");
        match corruption {
            Corruption::Refs => corruption::forget_refs(&self.clone)
                .map_err(|error| SourceError(format!("cannot repair the clone: {}", io_reason(&error))))?,
            Corruption::Objects => self.discard()?,
        }
        self.fetch_into_clone()
    }

    /// Fetches in another process, and writes the ref.
    pub(super) fn fetch_into_clone(&mut self) -> Result<Oid, SourceError> {
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
                let server = Server::new(url.clone(), *transport, &self.access);
                Job::Fetch(FetchJob { server, target: target.clone() }, in_force)
            }
        };
        let Fetched { commit, verdict } = self.worker.run(job, self.clone.path(), &self.access)?;
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
