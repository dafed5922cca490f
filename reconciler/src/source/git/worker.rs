//! Runs jobs in child processes, one at a time.
//!
//! A server that hangs, or sends a byte a second, blocks libgit2 for ever: its time-out is for a single read,
//! and no callback is called. A blocked thread cannot be stopped; a process can. The child also bounds how much
//! memory a server or a repository can cost the process that serves.
//!
//! Each job has a process of its own. The one for the next job is started while there is time, and waits.

use std::{
    io,
    path::Path,
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

use super::{
    child::Order,
    isolated_home::Home,
    job::{Answer, Job},
    process::{Process, Said},
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

/// What happens to a job.
enum Event {
    Said(Said),
    Aborted,
}

/// A job without a good answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: SourceError,
    /// True if it may have been done all the same: it could no longer be taken back.
    pub(super) has_begun: bool,
}

/// The least time that a job gets once it has begun. To kill it then would leave more open than to wait.
const LEAST: Duration = Duration::from_secs(5);
/// The time that the last words of a dead process take.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
        self.run_to_end(job, clone, access).map_err(|unanswered| unanswered.error)
    }

    /// The same for a job that may be done in spite of an error. It is aborted only until it has begun.
    pub(super) fn run_to_end<T: DeserializeOwned>(
        &mut self,
        job: Job,
        clone: &Path,
        access: &Access,
    ) -> Result<T, Unanswered> {
        let mut has_begun = false;
        let answer = self.converse(job, clone, access, &mut has_begun);
        answer.map_err(|error| Unanswered { error, has_begun })
    }

    fn converse<T: DeserializeOwned>(
        &mut self,
        job: Job,
        clone: &Path,
        access: &Access,
        has_begun: &mut bool,
    ) -> Result<T, SourceError> {
        self.gave_up = true;
        let (name, memory, has_clone) = (job.name(), job.memory(), job.has_clone());
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
        let (sender, events) = mpsc::channel();
        let aborted = sender.clone();
        // Nobody listens any more once the job has ended.
        self.abort.on_request(move || drop(aborted.send(Event::Aborted)));
        process.ask(order, move |said| drop(sender.send(Event::Said(said)))).map_err(broken)?;
        let end = next(&events, access.timeout, has_begun);
        let has_answered = matches!(end, Some(Event::Said(_)));
        let why = match end {
            Some(Event::Said(Said::Answer(answer))) => match serde_json::from_str::<Answer<T>>(&answer) {
                Ok(answer) => {
                    self.gave_up = false;
                    return answer.map_err(SourceError);
                }
                Err(_) => {
                    let (how, mebibytes) = (process.end(), memory >> 20);
                    format!("its process died ({how}); it may use {mebibytes} MiB of memory")
                }
            },
            Some(_) => ENDING.to_owned(),
            None => {
                let within = humantime::format_duration(access.timeout);
                format!("it did not end within {within} (--fetch-timeout)")
            }
        };
        drop(process);
        // It may have begun while it was killed.
        *has_begun |= !has_answered && !is_heard_out(&events, has_begun);
        if has_clone {
            let _ = sweep(clone);
        }
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

/// Listens to the last words of a dead process; false if they did not come to an end.
fn is_heard_out(events: &Receiver<Event>, has_begun: &mut bool) -> bool {
    loop {
        match next(events, LAST_WORDS, has_begun) {
            Some(Event::Aborted) => {}
            Some(Event::Said(_)) => return true,
            None => return false,
        }
    }
}

/// The answer or the abortion of a job; none within this time. Once it has begun, it is not aborted.
fn next(events: &Receiver<Event>, within: Duration, has_begun: &mut bool) -> Option<Event> {
    let mut until = Instant::now() + within;
    loop {
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Said(Said::Begun)) => {
                *has_begun = true;
                until = until.max(Instant::now() + LEAST);
            }
            Ok(Event::Aborted) if *has_begun => {}
            event => return event.ok(),
        }
    }
}
