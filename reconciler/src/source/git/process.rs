//! Runs jobs in a child process, one at a time.
//!
//! A server that hangs, or sends a byte a second, blocks libgit2 for ever: its time-out is for a single read,
//! and no callback is called. A blocked thread cannot be stopped; a process can. The child also bounds how much
//! memory a server or a repository can cost the process that serves.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use serde::de::DeserializeOwned;

use super::{
    isolated_home::Home,
    job::{Answer, COMMAND, Job, Order},
    storage::sweep,
};
use crate::source::{abort::Abort, access::Access, error::SourceError};

/// The longest result that is read, in bytes.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Does a job on `clone`, within the time that `access` allows. The child process lives in `home`, which is
/// created if it does not exist.
pub(super) fn run<T: DeserializeOwned>(
    job: Job,
    clone: &Path,
    home: &mut Option<Home>,
    access: &Access,
    abort: &Abort,
) -> Result<T, SourceError> {
    let name = job.name();
    let broken = |error: io::Error| SourceError(format!("{name} in a process of its own failed: {error}"));
    let home = match home.take().filter(Home::is_there) {
        Some(known) => home.insert(known),
        None => home.insert(Home::new().map_err(broken)?),
    };
    let mut process = Command::new(&access.program);
    // A library may print the last words of a process that is out of memory: they are not for our log.
    process.arg0("hfi").arg(COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    home.set_environment(&mut process, access, job.transport())?;
    let memory = job.memory();
    let order = Order { clone: clone.to_owned(), memory, job };
    let order = serde_json::to_string(&order).map_err(|error| broken(error.into()))?;
    let mut running = Running(process.spawn().map_err(broken)?);
    // Open until the end: when this process dies, the other sees its input end.
    let Some(mut input) = running.0.stdin.take() else {
        return Err(broken(io::ErrorKind::BrokenPipe.into()));
    };
    writeln!(input, "{order}").map_err(broken)?;

    let (sender, ended) = mpsc::channel();
    let aborted = sender.clone();
    // Nobody listens any more once the job has ended.
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
        let _ = sweep(clone);
        SourceError(format!("{name} was given up: {why}"))
    };
    let text = match ended.recv_timeout(access.timeout) {
        Ok(End::Answered(text)) => text.map_err(broken)?,
        Ok(End::Aborted) => return Err(given_up(running, "hfi is to end".to_owned())),
        Err(_) => {
            let within = humantime::format_duration(access.timeout);
            return Err(given_up(running, format!("it did not end within {within} (--fetch-timeout)")));
        }
    };
    match serde_json::from_str::<Answer<T>>(&text) {
        Ok(answer) => answer.map_err(SourceError),
        Err(_) => {
            // If it is dead already, that remains the cause of its death.
            let _ = running.0.kill();
            let how = running.0.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
            let mebibytes = memory >> 20;
            Err(given_up(running, format!("its process died ({how}); it may use {mebibytes} MiB of memory")))
        }
    }
}

/// The end of a job.
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
