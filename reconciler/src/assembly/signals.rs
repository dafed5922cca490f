//! SIGTERM and SIGINT: the first requests the end, the second ends the process at once.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::shutdown::Trigger;

/// Requests the end at SIGTERM, which Kubernetes sends, and at SIGINT, which a person sends.
pub(super) fn request_on_signal(trigger: Trigger) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        trigger.request();
        // Kept, because dropping it is a request too; a second signal ends the process at once.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
    Ok(())
}
