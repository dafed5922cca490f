//! Envoy as a process: ended, made to stand still, watched.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use super::{Envoy, PATIENCE};
use crate::system::process_stats;

impl Envoy {
    /// Asks it to end (SIGTERM), and waits until it has.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.process.terminate(PATIENCE).await
    }

    /// Makes it stand still: what happens meanwhile it finds all at once.
    pub fn freeze(&self) -> Result<()> {
        self.process.stop()
    }

    /// Lets it go on after a [freeze](Self::freeze).
    pub fn thaw(&self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Its process id, which is also the id of its main thread; 0 once it has ended.
    pub fn id(&self) -> u32 {
        self.process.id().unwrap_or_default()
    }

    /// The number of times that its threads have waited for something and woken up since its start.
    pub fn wakeups(&self) -> Result<u64> {
        process_stats::wakeups(self.id())
    }

    /// The processor time that its threads have had since its start.
    pub fn processor_time(&self) -> Result<Duration> {
        process_stats::processor_time(self.id())
    }

    /// The time that its main thread has waited for a processor since its start: a busy machine adds it to
    /// the work of that thread.
    pub fn time_in_queue(&self) -> Result<Duration> {
        process_stats::time_in_queue(self.id())
    }

    /// The same of all its threads together.
    pub fn time_in_queues(&self) -> Result<Duration> {
        process_stats::time_in_queues(self.id())
    }

    /// The memory that it has in use, in bytes.
    pub fn memory(&self) -> Result<u64> {
        process_stats::memory(self.id())
    }
}
