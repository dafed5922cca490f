//! `hfi policy delete`.

use std::process::ExitCode;

use clap::Args;

use super::{
    changing::{Changing, Connected},
    names::policy_name,
};
use crate::{
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::DONE,
        server::failed_change,
    },
    client::{Failure, writing::Change},
};

/// Delete policies, one commit for each
///
/// Ends at the first one that cannot be deleted. Goes on later where the server takes no more changes for now.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The names of policies
    #[arg(required = true, value_parser = policy_name, add = ArgValueCandidates::new(policy_names))]
    names: Vec<String>,

    /// The file in the repository, where a name stands in several
    #[arg(long, value_name = "PATH")]
    file: Option<String>,

    /// Take a policy that is in no file of the branch as deleted
    #[arg(long)]
    ignore_not_found: bool,

    #[command(flatten)]
    changing: Changing,
}

impl Delete {
    pub(super) async fn run(self) -> ExitCode {
        let Self { names, file, ignore_not_found, changing } = self;
        let connected = match changing.connect_for(&names).await {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        let mut query = connected.query();
        query.extend(file.as_deref().map(|file| ("file", file)));
        for name in &names {
            let deleted = connected.change(Change::Delete { name }, &query).await;
            if ignore_not_found
                && let Err(failure) = &deleted
                && is_nowhere(&connected, name, file.is_some(), failure).await
            {
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

/// True if the refusal says that the policy is in no file of the branch. One that is not in the file of `--file` may be in
/// another one, where it goes on.
async fn is_nowhere(connected: &Connected, name: &str, is_of_file: bool, refusal: &Failure) -> bool {
    if !is_of_file || !is_missing(refusal) {
        return is_missing(refusal);
    }
    let anywhere = connected.change(Change::Delete { name }, &[("dryRun", "true")]).await;
    anywhere.is_err_and(|refusal| is_missing(&refusal))
}

/// True if it is the answer to a change, which has an id. Other servers, and other paths of hfi, answer with 404 too.
fn is_missing(refusal: &Failure) -> bool {
    matches!(refusal, Failure::Refused { problem, .. } if problem.status == 404 && problem.request.is_some())
}
