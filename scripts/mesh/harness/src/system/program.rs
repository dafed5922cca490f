//! The frame of every program over a mesh.

use std::process::ExitCode;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Does the work of the program `name`, which answers whether all was well: ends with 0 if it was. An
/// interruption ends the work, and with it every process and directory of its mesh.
pub async fn program(name: &str, work: impl Future<Output = Result<bool>>) -> ExitCode {
    let outcome = tokio::select! {
        outcome = work => outcome,
        outcome = interruption() => outcome.map(|()| {
            println!("\ninterrupted; everything is stopped");
            false
        }),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Waits until the program is asked to end: Ctrl-C, or SIGTERM.
pub async fn interruption() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
