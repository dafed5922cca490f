//! The whole path in one go: `git push` of a policy, and what requests through real Envoys get from
//! then on. Ends with 0 when all that was observed is what the policies say.

mod acts;
mod expectation;
mod table;
mod timing;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use mesh::{Mesh, Repository, binaries};
use tokio::signal::unix::{SignalKind, signal};

use crate::acts::{CHECKOUT, Demo, FRONTEND, PRODUCTCATALOG};

/// Shows what a pushed policy does to requests through real Envoys.
#[derive(Debug, Parser)]
struct Arguments {
    /// Leave everything running at the end, with a policy in force, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Whichever ends first drops the other, and with it every process and folder of the demo.
    let outcome = tokio::select! {
        outcome = show(&arguments) => outcome,
        outcome = interruption() => outcome.map(|()| {
            println!("\ninterrupted; everything is stopped");
            false
        }),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether everything was as the policies say.
async fn show(arguments: &Arguments) -> Result<bool> {
    println!("Starting a Git repository, hfi, and five Envoys in front of a small workload ...");
    let repository = Repository::seeded(&binaries::examples()).await?;
    let services = [(FRONTEND, 3), (CHECKOUT, 1), (PRODUCTCATALOG, 1)];
    let mesh = Mesh::over(repository, &services, 1).await?;

    let mut demo = Demo::new(&mesh);
    demo.play().await?;
    println!("\n{}", demo.summary());
    if arguments.keep {
        demo.leave_running().await?;
        interruption().await?;
        println!("\neverything is stopped");
    }
    Ok(demo.all_well())
}

async fn interruption() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
