//! The reasons why a process has made no plan.

use std::{io, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use crate::{io_reason::io_reason, source::SourceError};

/// The signals that end a process which is out of memory: SIGABRT, SIGKILL and SIGSEGV.
const OUT_OF_MEMORY: [i32; 3] = [6, 9, 11];

/// The reason why a process has made no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the process that plans: {}", io_reason(.0))]
    Start(#[from] io::Error),
    #[error("the process that plans: it did not end within {deadline:?}, and was killed ({})", death(.end))]
    Late { deadline: Duration, end: io::Result<ExitStatus> },
    #[error("the process that plans: it died ({}){}", death(.end), advice(.end, *.memory))]
    Died { end: io::Result<ExitStatus>, memory: u64 },
    #[error(
        "the process that plans: its answer has more than {} MiB; change fewer namespaces with one push",
        .0 >> 20
    )]
    TooLong(u64),
    #[error("the process that plans: its answer cannot be read: {0}")]
    Unread(serde_json::Error),
    /// What it says itself.
    #[error("{0}")]
    Told(String),
}

fn death(end: &io::Result<ExitStatus>) -> String {
    end.as_ref().map_or_else(io_reason, ToString::to_string)
}

/// Advice for a process that seems to have needed more than this memory, in bytes.
fn advice(end: &io::Result<ExitStatus>, memory: u64) -> String {
    let signal = end.as_ref().ok().and_then(|status| status.signal());
    if signal.is_some_and(|signal| OUT_OF_MEMORY.contains(&signal)) {
        let mebibytes = memory >> 20;
        format!(
            "; it may use {mebibytes} MiB of memory, and more if the memory limit of the container is larger"
        )
    } else {
        String::new()
    }
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}
