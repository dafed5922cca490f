//! Waiting for an effect: by looking again and again until a deadline, never by a fixed sleep.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

/// The pause where a look starts a program, or asks a server that others share.
const BETWEEN_COSTLY_LOOKS: Duration = Duration::from_millis(200);

/// The limit of a wait and its subject: check, [pause](Self::pause), check again.
#[derive(Debug)]
pub struct Deadline {
    what: &'static str,
    patience: Duration,
    began: Instant,
    between_looks: Duration,
}

impl Deadline {
    /// Begins to wait.
    pub fn of(what: &'static str, patience: Duration) -> Self {
        Self { what, patience, began: Instant::now(), between_looks: BETWEEN_LOOKS }
    }

    /// Begins to wait for something that costs time of the processor to look at.
    pub fn of_costly(what: &'static str, patience: Duration) -> Self {
        Self { between_looks: BETWEEN_COSTLY_LOOKS, ..Self::of(what, patience) }
    }

    /// Waits a little, or fails when the time is up.
    pub async fn pause(&self) -> Result<()> {
        let Self { what, patience, began, between_looks } = self;
        if began.elapsed() > *patience {
            bail!("waited {patience:?} without success for {what}");
        }
        tokio::time::sleep(*between_looks).await;
        Ok(())
    }
}
