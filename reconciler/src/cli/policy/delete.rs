//! `hfi policy delete`.

use std::process::ExitCode;

use clap::Args;

use super::changing::Changing;
use crate::{
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::DONE,
        server::failed_change,
    },
    client::writing::Change,
};

/// Delete policies, one commit for each
///
/// Ends at the first one that cannot be deleted.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The names of policies
    #[arg(required = true, add = ArgValueCandidates::new(policy_names))]
    names: Vec<String>,

    /// The file in the repository, where a name stands in several
    #[arg(long, value_name = "PATH")]
    file: Option<String>,

    /// Take a policy that is not there as deleted
    #[arg(long)]
    ignore_not_found: bool,

    #[command(flatten)]
    changing: Changing,
}

impl Delete {
    pub(super) async fn run(self) -> ExitCode {
        let Self { names, file, ignore_not_found, changing } = self;
        let connected = match changing.connect().await {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        let mut query = connected.query();
        query.extend(file.as_deref().map(|file| ("file", file)));
        for name in &names {
            let deleted = connected.client.change(Change::Delete { name }, &query).await;
            if ignore_not_found && deleted.as_ref().is_err_and(|failure| failure.status() == Some(404)) {
                continue;
            }
            let is_done = deleted.is_ok();
            let again = "run the same command again with --ignore-not-found";
            let code = connected.end_or(deleted, |failure| failed_change(failure, again));
            if !is_done {
                return code;
            }
        }
        ExitCode::from(DONE)
    }
}
