//! Waiting for an effect: by looking again and again until a deadline, never by a fixed sleep.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

/// The limit of a wait and its subject: check, [pause](Self::pause), check again.
#[derive(Debug)]
pub struct Deadline {
    what: &'static str,
    patience: Duration,
    began: Instant,
}

impl Deadline {
    /// Begins to wait.
    pub fn of(what: &'static str, patience: Duration) -> Self {
        Self { what, patience, began: Instant::now() }
    }

    /// Waits a little, or fails when the time is up.
    pub async fn pause(&self) -> Result<()> {
        let Self { what, patience, began } = self;
        if began.elapsed() > *patience {
            bail!("waited {patience:?} without success for {what}");
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
        Ok(())
    }
}
