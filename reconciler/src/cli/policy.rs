//! `hfi policy`: the policies of a running server.

mod describe;
mod diff;
mod get;
mod list;
mod row;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::{describe::Describe, diff::Diff, get::Get, list::List};

/// Read the policies of a server
#[derive(Debug, Args)]
pub struct Policy {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    List(List),
    Get(Get),
    Describe(Describe),
    Diff(Diff),
}

impl Policy {
    pub async fn run(self) -> ExitCode {
        match self.command {
            PolicyCommand::List(list) => list.run().await,
            PolicyCommand::Get(get) => get.run().await,
            PolicyCommand::Describe(describe) => describe.run().await,
            PolicyCommand::Diff(diff) => diff.run().await,
        }
    }
}
