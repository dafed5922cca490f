//! The walk through a long history, as a job of the child process.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use git2::{Oid, Repository as BareClone};
use policies::{File, Policy, Timestamp, language::PolicyName, repository::Start};
use serde::{Deserialize, Serialize};

use super::{
    Starts,
    deadline::{Deadline, TimesError},
    walk::Walk,
};
use crate::source::git::{directory::Directory, objects, tree::Files};

/// A commit whose documents with a duration are dated.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source::git) struct TimesJob {
    pub(in crate::source::git) commit: String,
    /// The policy directory.
    path: PathBuf,
    known: Option<(String, Times)>,
}

/// Start times as they go between the processes: a name, and two times in milliseconds.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source::git) struct Times(Vec<(String, u64, u64)>);

impl TimesJob {
    pub(in crate::source::git) fn new(commit: Oid, path: &Path, known: Option<(Oid, &Starts)>) -> Self {
        let known = known.map(|(commit, starts)| (commit.to_string(), Times::from(starts)));
        Self { commit: commit.to_string(), path: path.to_owned(), known }
    }

    /// Dates the documents.
    pub(in crate::source::git) fn work(&self, clone: &BareClone) -> Result<Times, String> {
        self.starts(clone).map(|starts| Times::from(&starts)).map_err(|error| error.to_string())
    }

    fn starts(&self, clone: &BareClone) -> Result<Starts, TimesError> {
        let tip = Oid::from_str(&self.commit)?;
        let directory = Files::of(clone, tip, &self.path, None)?.directory;
        let wanted =
            directory.as_deref().map_or(Ok(Vec::new()), |directory| with_duration(clone, directory))?;
        let known = match &self.known {
            Some((commit, times)) => Some((Oid::from_str(commit)?, Starts::from(times))),
            None => None,
        };
        let known = known.as_ref().map(|(commit, starts)| (*commit, starts));
        let walk = Walk { clone, path: &self.path, known, deadline: Deadline(None) };
        walk.starts((tip, directory), &wanted, |_| None)
    }
}

/// The policies of a directory that have a duration, in the order of their files.
fn with_duration(clone: &BareClone, directory: &Directory) -> Result<Vec<Arc<Policy>>, TimesError> {
    let mut policies = Vec::new();
    for id in directory.blobs() {
        let file = File::read(&objects::content(clone, id)?);
        let timed = file.policies().iter().filter(|parsed| parsed.has_duration());
        policies.extend(timed.map(|parsed| Arc::clone(&parsed.policy)));
    }
    Ok(policies)
}

impl From<&Starts> for Times {
    fn from(starts: &Starts) -> Self {
        let line = |(name, Start { at, dated }): (&PolicyName, &Start)| {
            (name.as_str().to_owned(), at.as_millis(), dated.as_millis())
        };
        Self(starts.iter().map(line).collect())
    }
}

impl From<&Times> for Starts {
    fn from(Times(lines): &Times) -> Self {
        let start = |(name, at, dated): &(String, u64, u64)| {
            let name = PolicyName::try_from(name.clone()).ok()?;
            Some((name, Start { at: Timestamp::from_millis(*at), dated: Timestamp::from_millis(*dated) }))
        };
        lines.iter().filter_map(start).collect()
    }
}
