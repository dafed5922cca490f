//! `hfi policy`: the policies of a running server.

mod apply;
mod changing;
mod delete;
mod describe;
mod diff;
mod documents;
mod get;
mod history;
mod list;
mod names;
mod reached;
mod rollback;
mod row;
mod suspending;
#[cfg(test)]
mod tests;
mod waiting;

pub(super) use self::list::returning;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::{
    apply::Apply,
    delete::Delete,
    describe::Describe,
    diff::Diff,
    get::Get,
    history::History,
    list::List,
    rollback::Rollback,
    suspending::{Resume, Suspend},
};

/// Read and change the policies of a server
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
    Apply(Box<Apply>),
    Delete(Delete),
    History(History),
    Suspend(Suspend),
    Resume(Resume),
    Rollback(Box<Rollback>),
}

impl Policy {
    pub async fn run(self) -> ExitCode {
        match self.command {
            PolicyCommand::List(list) => list.run().await,
            PolicyCommand::Get(get) => get.run().await,
            PolicyCommand::Describe(describe) => describe.run().await,
            PolicyCommand::Diff(diff) => diff.run().await,
            PolicyCommand::Apply(apply) => apply.run().await,
            PolicyCommand::Delete(delete) => delete.run().await,
            PolicyCommand::History(history) => history.run().await,
            PolicyCommand::Suspend(suspend) => suspend.run().await,
            PolicyCommand::Resume(resume) => resume.run().await,
            PolicyCommand::Rollback(rollback) => rollback.run().await,
        }
    }
}
