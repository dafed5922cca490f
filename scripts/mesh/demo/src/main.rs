//! The whole path in one go: `git push` of a policy, and what requests through real Envoys get from
//! then on. Ends with 0 when all that was observed is what the policies say.

mod scenarios;
mod table;
mod timing;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use harness::{Mesh, Repository, interruption, paths};

use crate::scenarios::{CHECKOUT, Demo, FRONTEND, PRODUCTCATALOG};

/// Shows what a pushed policy does to requests through real Envoys.
#[derive(Debug, Parser)]
struct Arguments {
    /// Leave everything running at the end, with a policy in force, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    harness::program("demo", show(&Arguments::parse())).await
}

/// Returns whether everything was as the policies say.
async fn show(arguments: &Arguments) -> Result<bool> {
    println!("Starting a Git repository, hfi, and five Envoys in front of a small workload ...");
    let repository = Repository::seeded(&paths::examples()).await?;
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
