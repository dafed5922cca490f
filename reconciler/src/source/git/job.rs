//! The jobs of the child process. Work that grows with the history of a repository, or that its content could make
//! grow, is done there: within a limit of memory, and within a time after which it is killed.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    check::{self, CheckJob, Verdict},
    corruption,
    document_times::job::TimesJob,
    fetch_job::FetchJob,
    join::{self, JoinJob},
    local::{self, CopyJob},
    memory,
    push::{
        self,
        job::{Goal, PushJob, TipJob},
        locally,
    },
    reason::failure,
};
use crate::source::{location::Transport, printable::printable, target::Target};

/// The result of a fetch: the commit, and whether it can be read. That is not known of a commit that is in force.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fetched {
    pub(super) commit: String,
    pub(super) verdict: Option<Verdict>,
}

/// What is known to the process that serves, by which a fetched commit is read with less work.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InForce {
    /// The policy directory.
    pub(super) path: PathBuf,
    /// A commit that was read before.
    pub(super) known: Option<String>,
    /// A commit that need not be read again, even if it is the one that is fetched.
    pub(super) good: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Job {
    /// Fetches from a server, and reads the commit. Answers what was [`Fetched`].
    Fetch(FetchJob, InForce),
    /// Copies from a repository on this machine, and reads the commit. Answers what was [`Fetched`].
    Copy(CopyJob, InForce),
    /// Reads a commit for the first time. Answers a [`Verdict`].
    Check(CheckJob),
    /// Walks through the history for the times of documents. Answers [`Times`](super::document_times::job::Times).
    Times(TimesJob),
    /// Searches for damage of the clone, by which this ref is followed. Answers the
    /// [`Corruption`](corruption::Corruption), if there is any.
    Diagnose(Target),
    /// Joins packs. Answers the new [`Base`](join::Base).
    Join(JoinJob),
    /// Pushes commits. Answers a [`PushOutcome`](super::push::PushOutcome).
    Push(PushJob),
    /// Asks where a branch is. Answers the commit, if there is one.
    Tip(TipJob),
    /// Looks whether this branch of a repository on this machine is checked out there.
    IsCheckedOut(PathBuf, Target),
}

/// The result on the standard output of the child.
pub(super) type Answer<T> = Result<T, String>;

impl Job {
    /// The protocol of the server, if there is one.
    pub(super) fn transport(&self) -> Option<Transport> {
        match self {
            Self::Fetch(job, _) => Some(job.server.transport),
            Self::Push(PushJob { goal, .. }) | Self::Tip(TipJob { goal, .. }) => match goal {
                Goal::Server(server) => Some(server.transport),
                Goal::Local(_) => None,
            },
            Self::Copy(..) | Self::Check(_) | Self::Times(_) | Self::Diagnose(_) | Self::Join(_) => None,
            Self::IsCheckedOut(..) => None,
        }
    }

    /// True if the directory of the job is a clone of our own, where nobody else works.
    pub(super) fn has_clone(&self) -> bool {
        match self {
            Self::Fetch(..) | Self::Copy(..) | Self::Check(_) | Self::Times(_) | Self::Diagnose(_) => true,
            Self::Join(_) | Self::Push(_) | Self::Tip(_) => true,
            Self::IsCheckedOut(..) => false,
        }
    }

    /// The job in words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Fetch(job, _) => format!("fetching from {}", job.server.repository),
            Self::Copy(job, _) => format!("fetching from {}", printable(&job.repository.to_string_lossy())),
            Self::Check(job) => format!("reading commit {}", job.commit),
            Self::Times(job) => format!("reading the history of commit {}", job.commit),
            Self::Diagnose(_) => "looking for damage of the clone".to_owned(),
            Self::Join(_) => "joining the packs of the clone".to_owned(),
            Self::Push(job) => format!("pushing to {}", job.goal),
            Self::Tip(job) => format!("asking {} for its branch", job.goal),
            Self::IsCheckedOut(path, _) => format!("looking into {}", printable(&path.to_string_lossy())),
        }
    }

    /// The memory that the job may use, in bytes.
    pub(super) fn memory(&self) -> u64 {
        match self {
            Self::Check(_) | Self::Diagnose(_) | Self::IsCheckedOut(..) => memory::OF_CHECK,
            Self::Fetch(..) | Self::Copy(..) | Self::Times(_) | Self::Join(_) => memory::of_fetch(),
            Self::Push(_) | Self::Tip(_) => memory::of_fetch(),
        }
    }

    /// Does the job on the clone in a directory.
    pub(super) fn work(&self, directory: &Path) -> Answer<Value> {
        let open =
            || BareClone::open_bare(directory).map_err(|error| failure("cannot open the clone", &error).0);
        match self {
            Self::Fetch(job, in_force) => {
                let clone = open()?;
                json(&in_force.read(&clone, job.work(&clone)?)?)
            }
            Self::Copy(job, in_force) => {
                let clone = open()?;
                let tip = local::tip(&clone, job).map_err(|error| error.0)?;
                json(&in_force.read(&clone, tip)?)
            }
            Self::Check(job) => json(&check::check(&open()?, job)),
            Self::Times(job) => json(&job.work(&open()?)?),
            Self::Diagnose(target) => json(&corruption::of(directory, target)),
            Self::Join(job) => json(&join::join(&open()?, job).map_err(|error| error.to_string())?),
            Self::Push(job) => json(&push::push(&open()?, job)?),
            Self::Tip(job) => json(&push::tip(&open()?, job)?),
            Self::IsCheckedOut(path, target) => {
                let reference = target.reference().unwrap_or_default();
                let found = locally::is_checked_out(path, &reference);
                json(&found.map_err(|error| locally::unreadable(path, &error))?)
            }
        }
    }
}

fn json(answer: &impl Serialize) -> Answer<Value> {
    serde_json::to_value(answer).map_err(|error| error.to_string())
}

impl InForce {
    /// Reads a commit that was fetched, unless it is in force.
    fn read(&self, clone: &BareClone, commit: Oid) -> Answer<Fetched> {
        let commit = commit.to_string();
        if self.good.as_ref() == Some(&commit) {
            return Ok(Fetched { commit, verdict: None });
        }
        memory::limit_growth(memory::OF_CHECK)?;
        let job = CheckJob { commit, path: self.path.clone(), known: self.known.clone() };
        let verdict = Some(check::check(clone, &job));
        Ok(Fetched { commit: job.commit, verdict })
    }
}
