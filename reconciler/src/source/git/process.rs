//! Fetches from a remote repository in a child process.
//!
//! A server that hangs, or sends a byte a second, blocks libgit2 for ever: its time-out is for a single read,
//! and no callback is called. A blocked thread cannot be stopped; a process can. The child also bounds how much
//! memory a server can cost the process that serves.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use git2::{Oid, Repository as BareClone};

use super::{
    failure,
    fetch_job::{Answer, COMMAND, FetchJob},
    isolated_home::{Home, known_hosts},
    storage::sweep,
};
use crate::source::{abort::Abort, access::Access, error::SourceError, location::Transport, target::Target};

/// The longest result that is read, in bytes.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Fetches into `clone`, within the time that `access` allows. The child process lives in `home`, which is
/// created if it does not exist.
pub(super) fn tip(
    clone: &BareClone,
    home: &mut Option<Home>,
    repository: &str,
    transport: Transport,
    target: &Target,
    access: &Access,
    abort: &Abort,
) -> Result<Oid, SourceError> {
    let broken = |error: io::Error| SourceError(format!("cannot fetch in a process of its own: {error}"));
    let home = match home.take().filter(Home::is_there) {
        Some(known) => home.insert(known),
        None => home.insert(Home::new().map_err(broken)?),
    };
    let job = FetchJob {
        clone: clone.path().to_owned(),
        repository: repository.to_owned(),
        transport,
        target: target.clone(),
        login: access.login.clone(),
        known_hosts: known_hosts(access).unwrap_or_default(),
    };
    let mut process = Command::new(&access.program);
    process.arg0("hfi").arg(COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped());
    home.set_environment(&mut process, access, transport)?;
    let mut running = Running(process.spawn().map_err(broken)?);
    // Open until the end: when this process dies, the other sees its input end.
    let Some(mut input) = running.0.stdin.take() else {
        return Err(broken(io::ErrorKind::BrokenPipe.into()));
    };
    let order = serde_json::to_string(&job).map_err(|error| broken(error.into()))?;
    writeln!(input, "{order}").map_err(broken)?;

    let (sender, ended) = mpsc::channel();
    let aborted = sender.clone();
    // Nobody listens any more once the fetch has ended.
    abort.on_request(move || drop(aborted.send(End::Aborted)));
    let output = running.0.stdout.take();
    let reader = thread::Builder::new().name("fetch".to_owned()).spawn(move || {
        let mut text = String::new();
        let read = output.map(|output| output.take(LONGEST_ANSWER).read_to_string(&mut text));
        drop(sender.send(End::Answered(read.unwrap_or(Ok(0)).map(|_| text))));
    });
    reader.map_err(broken)?;
    let given_up = |running: Running, why: String| {
        drop(running);
        let _ = sweep(clone.path());
        SourceError(format!("fetching from {repository} was given up: {why}"))
    };
    let text = match ended.recv_timeout(access.timeout) {
        Ok(End::Answered(text)) => text.map_err(broken)?,
        Ok(End::Aborted) => return Err(given_up(running, "hfi is to end".to_owned())),
        Err(_) => {
            let within = humantime::format_duration(access.timeout);
            return Err(given_up(running, format!("it did not end within {within} (--fetch-timeout)")));
        }
    };
    match serde_json::from_str::<Answer>(&text) {
        Ok(Ok(id)) => Oid::from_str(&id).map_err(|error| failure("the fetch answered no commit", &error)),
        Ok(Err(reason)) => Err(SourceError(reason)),
        Err(_) => Err(given_up(running, "its process died".to_owned())),
    }
}

/// The end of a fetch.
enum End {
    Answered(io::Result<String>),
    Aborted,
}

/// A child process that is killed when this value is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
