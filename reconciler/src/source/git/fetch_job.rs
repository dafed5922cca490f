//! The input, the output and the work of the child process that fetches.

use std::{
    io::{self, BufRead as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    thread,
};

use git2::Repository as BareClone;
use serde::{Deserialize, Serialize};

use super::{credentials::Credentials, failure, fetch};
use crate::source::{access::Login, location::Transport, target::Target};

/// The command of `hfi` that runs [`fetch_for_parent`].
pub(super) const COMMAND: &str = "fetch-for-serve";

/// The job, as one line on the standard input of the child. Nothing in it is secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FetchJob {
    pub(super) clone: PathBuf,
    pub(super) repository: String,
    pub(super) transport: Transport,
    pub(super) target: Target,
    pub(super) login: Login,
    /// The path of the `known_hosts` file, for errors.
    pub(super) known_hosts: PathBuf,
}

/// The result on the standard output of the child: the id of the commit, or an error.
pub(super) type Answer = Result<String, String>;

/// The child process: reads the job from standard input, and writes the result to standard output.
pub(in crate::source) fn fetch_for_parent() -> ExitCode {
    let mut order = String::new();
    let read = io::stdin().lock().read_line(&mut order);
    let answer = match read.map(|_| serde_json::from_str(&order)) {
        Ok(Ok(job)) => {
            end_with_parent();
            work(&job)
        }
        _ => Err("this command is for `hfi serve` to start".to_owned()),
    };
    match serde_json::to_string(&answer).map(|answer| io::stdout().write_all(answer.as_bytes())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn work(job: &FetchJob) -> Answer {
    let FetchJob { clone, repository, transport, target, login, known_hosts } = job;
    let clone = BareClone::open_bare(clone).map_err(|error| failure("cannot open the clone", &error).0)?;
    let tip = fetch::tip(&clone, repository, *transport, target, &Credentials::new(login, known_hosts));
    tip.map(|id| id.to_string()).map_err(|error| error.0)
}

/// Ends this process when its standard input is closed.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(1);
    });
}
