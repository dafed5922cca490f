//! Runs jobs in child processes, one at a time.
//!
//! A server that hangs, or sends a byte a second, blocks libgit2 for ever: its time-out is for a single read,
//! and no callback is called. A blocked thread cannot be stopped; a process can. The child also bounds how much
//! memory a server or a repository can cost the process that serves.
//!
//! Each job has a process of its own. The one for the next job is started while there is time, and waits.

use std::{io, path::Path, sync::mpsc};

use serde::de::DeserializeOwned;

use super::{
    child::Order,
    isolated_home::Home,
    job::{Answer, Job},
    process::Process,
    storage::sweep,
};
use crate::{
    io_reason::io_reason,
    source::{abort::Abort, access::Access, error::SourceError, location::Transport},
};

/// The reason of what is given up because of the end of `hfi serve`.
const ENDING: &str = "hfi is to end";

/// The child processes of a source.
#[derive(Debug, Default)]
pub(super) struct Worker {
    /// The home directory of the child processes.
    home: Option<Home>,
    /// A process that waits for its job, in that home.
    ready: Option<Process>,
    abort: Abort,
    gave_up: bool,
}

/// The end of a job.
enum End {
    /// With an answer, which is not whole if the process has died.
    Answered(String),
    Aborted,
}

impl Worker {
    /// A worker whose jobs end when this is requested.
    pub(super) fn ended_by(abort: Abort) -> Self {
        Self { abort, ..Self::default() }
    }

    /// Ends a job from elsewhere.
    pub(super) fn abort(&self) -> Abort {
        self.abort.clone()
    }

    /// True if the last job had no answer, neither a good nor a bad one.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Starts the process for the next job.
    pub(super) fn prepare(&mut self, access: &Access) {
        if self.ready.is_none() && !self.abort.is_requested() {
            // If it cannot start, the job says so.
            self.ready = self.start(access).ok();
        }
    }

    /// Does a job on `clone`, within the time that `access` allows.
    pub(super) fn run<T: DeserializeOwned>(
        &mut self,
        job: Job,
        clone: &Path,
        access: &Access,
    ) -> Result<T, SourceError> {
        self.gave_up = true;
        let (name, memory) = (job.name(), job.memory());
        let broken = |error: io::Error| {
            SourceError(format!("{name} in a process of its own failed: {}", io_reason(&error)))
        };
        let given_up = |why: &str| SourceError(format!("{name} was given up: {why}"));
        if self.abort.is_requested() {
            return Err(given_up(ENDING));
        }
        if job.transport() == Some(Transport::Ssh) {
            self.home().map_err(broken)?.put_known_hosts(access)?;
        }
        let mut process = match self.take_ready() {
            Some(ready) => ready,
            None => self.start(access).map_err(broken)?,
        };
        let order = Order { clone: clone.to_owned(), memory, job };
        let order = serde_json::to_string(&order).map_err(|error| broken(error.into()))?;
        let (sender, ended) = mpsc::channel();
        let aborted = sender.clone();
        // Nobody listens any more once the job has ended.
        self.abort.on_request(move || drop(aborted.send(End::Aborted)));
        process.ask(order, move |answer| drop(sender.send(End::Answered(answer)))).map_err(broken)?;
        let why = match ended.recv_timeout(access.timeout) {
            Ok(End::Answered(answer)) => match serde_json::from_str::<Answer<T>>(&answer) {
                Ok(answer) => {
                    self.gave_up = false;
                    return answer.map_err(SourceError);
                }
                Err(_) => {
                    let (how, mebibytes) = (process.end(), memory >> 20);
                    format!("its process died ({how}); it may use {mebibytes} MiB of memory")
                }
            },
            Ok(End::Aborted) => ENDING.to_owned(),
            Err(_) => {
                let within = humantime::format_duration(access.timeout);
                format!("it did not end within {within} (--fetch-timeout)")
            }
        };
        drop(process);
        let _ = sweep(clone);
        Err(given_up(&why))
    }

    fn start(&mut self, access: &Access) -> io::Result<Process> {
        Process::start(&access.program, self.home()?)
    }

    /// The process that waits, if it still does.
    fn take_ready(&mut self) -> Option<Process> {
        let home_is_there = self.home.as_ref().is_some_and(Home::is_there);
        self.ready.take().filter(|_| home_is_there).and_then(|mut ready| ready.is_alive().then_some(ready))
    }

    /// The home directory, made anew if it is gone.
    fn home(&mut self) -> io::Result<&Home> {
        let home = match self.home.take().filter(Home::is_there) {
            Some(home) => home,
            None => {
                self.ready = None;
                Home::new()?
            }
        };
        Ok(self.home.insert(home))
    }
}
