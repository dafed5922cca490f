//! The end of a container that runs.

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;
use tokio::time::{Instant, timeout_at};
use tracing::info;

use crate::probe::ask::Asker;
use crate::probe::run_hook;
use crate::process::Process;
use crate::spec::check::Check;

/// The least time between SIGTERM and SIGKILL, however long the hook took.
const LEAST: Duration = Duration::from_secs(2);

/// Runs the hook, asks the program to end (SIGTERM), and kills it after the deadline (SIGKILL).
pub(super) async fn end(
    process: &mut Process,
    pre_stop: Option<&Check>,
    asker: &Asker,
    deadline: Instant,
) -> Result<ExitStatus> {
    if let Some(hook) = pre_stop {
        let left = deadline.saturating_duration_since(Instant::now());
        tokio::select! {
            status = process.wait() => return status,
            done = run_hook(asker, hook, left) => if let Err(error) = done {
                info!(error = format!("{error:#}"), "the hook before the end failed");
            },
        }
    }
    process.signal(Signal::TERM);
    if let Ok(status) = timeout_at(deadline.max(Instant::now() + LEAST), process.wait()).await {
        return status;
    }
    process.signal(Signal::KILL);
    process.wait().await
}
