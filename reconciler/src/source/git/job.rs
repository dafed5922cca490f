//! The jobs of the child process. Work that grows with the history of a repository, or that its content could make
//! grow, is done there: within a limit of memory, and within a time after which it is killed.

use std::{
    io::{self, BufRead as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    thread,
};

use git2::{Oid, Repository as BareClone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    check::{self, CheckJob, Verdict},
    failure,
    fetch_job::FetchJob,
    join::{self, JoinJob},
    local::{self, CopyJob},
    memory,
};
use crate::source::{location::Transport, printable::printable};

/// The command of `hfi` that runs [`work_for_parent`].
pub(super) const COMMAND: &str = "fetch-for-serve";

/// A job and its limits, as one line on the standard input of the child. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// The directory of the clone.
    pub(super) clone: PathBuf,
    /// The memory that the child may use, in bytes.
    pub(super) memory: u64,
    pub(super) job: Job,
}

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
    /// Joins packs. Answers the new [`Base`](join::Base).
    Join(JoinJob),
}

/// The result on the standard output of the child.
pub(super) type Answer<T> = Result<T, String>;

impl Job {
    /// The protocol of the server, if there is one.
    pub(super) fn transport(&self) -> Option<Transport> {
        match self {
            Self::Fetch(job, _) => Some(job.transport),
            Self::Copy(..) | Self::Check(_) | Self::Join(_) => None,
        }
    }

    /// The job in words.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Fetch(job, _) => format!("fetching from {}", job.repository),
            Self::Copy(job, _) => format!("fetching from {}", printable(&job.repository.to_string_lossy())),
            Self::Check(job) => format!("reading commit {}", job.commit),
            Self::Join(_) => "joining the packs of the clone".to_owned(),
        }
    }

    /// The memory that the job may use, in bytes.
    pub(super) fn memory(&self) -> u64 {
        match self {
            Self::Fetch(..) | Self::Copy(..) | Self::Join(_) => memory::of_fetch(),
            Self::Check(_) => memory::OF_CHECK,
        }
    }

    fn work(&self, clone: &BareClone) -> Answer<Value> {
        let shown = |answer: Result<Value, serde_json::Error>| answer.map_err(|error| error.to_string());
        match self {
            Self::Fetch(job, in_force) => {
                shown(serde_json::to_value(in_force.read(clone, job.work(clone)?)?))
            }
            Self::Copy(job, in_force) => {
                let tip = local::tip(clone, job).map_err(|error| error.0)?;
                shown(serde_json::to_value(in_force.read(clone, tip)?))
            }
            Self::Check(job) => shown(serde_json::to_value(check::check(clone, job))),
            Self::Join(job) => join::join(clone, job)
                .map_err(|error| error.to_string())
                .and_then(|base| shown(serde_json::to_value(base))),
        }
    }
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

/// The child process: reads the job from standard input, and writes the result to standard output.
pub(in crate::source) fn work_for_parent() -> ExitCode {
    let mut order = String::new();
    let read = io::stdin().lock().read_line(&mut order);
    let answer = match read.map(|_| serde_json::from_str::<Order>(&order)) {
        Ok(Ok(order)) => {
            end_with_parent();
            work(&order)
        }
        _ => Err("this command is for `hfi serve` to start".to_owned()),
    };
    match serde_json::to_string(&answer).map(|answer| io::stdout().write_all(answer.as_bytes())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn work(order: &Order) -> Answer<Value> {
    memory::limit(order.memory)?;
    // Each object is read once; what libgit2 keeps of them grows with the history.
    git2::opts::enable_caching(false);
    let clone = BareClone::open_bare(&order.clone);
    order.job.work(&clone.map_err(|error| failure("cannot open the clone", &error).0)?)
}

/// Ends this process when its standard input is closed.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(1);
    });
}
