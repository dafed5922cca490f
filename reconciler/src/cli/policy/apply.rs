//! `hfi policy apply`.

mod body;
mod directory;

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};

use self::body::Body;
use super::changing::{Changing, Connected, query, results, tell};
use crate::{
    api::writes::{WriteResult, Written},
    cli::{
        console::{DONE, error, print, wrong_use},
        output::Output,
        server::{failed, failed_as_told},
    },
    client::Failure,
};

/// Create or update policies, as one commit
///
/// The server edits policies that exist where they stand. A new policy goes to a file of its own, in the same
/// directory below `--folder` as its file below DIR. If one policy is refused, nothing is changed.
#[derive(Debug, Args)]
pub(super) struct Apply {
    /// A file, a directory, or `-` for stdin
    #[arg(short = 'f', long = "filename", required = true, value_name = "FILE|DIR|-")]
    files: Vec<PathBuf>,

    /// The directory of new policies, below the policy directory of the repository
    #[arg(long, value_name = "DIR")]
    folder: Option<String>,

    /// Take new policies that select everything
    #[arg(long)]
    allow_wildcard: bool,

    /// Write documents anew that cannot be edited in place
    #[arg(long)]
    rewrite: bool,

    /// The output format, instead of a line for each policy
    #[arg(short, long)]
    output: Option<Format>,

    #[command(flatten)]
    changing: Changing,
}

/// An output format of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Yaml,
    /// Names only, such as `policy/checkout-errors`
    Name,
}

impl Apply {
    pub(super) async fn run(self) -> ExitCode {
        let Self { files, folder, allow_wildcard, rewrite, output, changing } = self;
        let body = match Body::read(&files) {
            Ok(body) => body,
            Err(code) => return code,
        };
        let connected = match changing.connect() {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        let switches = [("allowWildcard", allow_wildcard), ("rewrite", rewrite)];
        let switches: Vec<_> =
            switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (name, "true")).collect();
        let folder = folder.unwrap_or_default();
        let below = match below(&connected, &body, &folder, &switches).await {
            Ok(below) => below,
            Err(code) => return code,
        };
        let folder = directory::joined(&folder, &below);
        let mut parameters = connected.query();
        parameters.extend(&switches);
        parameters.extend((!folder.is_empty()).then_some(("folder", folder.as_str())));
        match connected.client.change(body.change(), &parameters).await {
            Ok(written) => show(&written, output, connected.dry_run),
            Err(failure) => refused(&body, &failure),
        }
    }
}

/// The directory of all new policies, as their files have it below the directories that were given.
async fn below(
    connected: &Connected,
    body: &Body,
    folder: &str,
    switches: &[(&str, &str)],
) -> Result<String, ExitCode> {
    let directories: BTreeSet<_> = body.directories().collect();
    if directories.len() <= 1 {
        return Ok(directories.into_iter().next().unwrap_or_default().to_owned());
    }
    // A request names one directory. Policies that exist need none; the server knows which those are.
    let mut parameters = query(true, connected.restart, None);
    parameters.extend(switches);
    parameters.extend((!folder.is_empty()).then_some(("folder", folder)));
    let tried = connected.client.change(body.change(), &parameters).await;
    let tried = tried.map_err(|failure| refused(body, &failure))?;
    let new = tried.policies.iter().filter(|policy| policy.result == WriteResult::Created);
    let new: BTreeSet<_> = new.filter_map(|policy| body.directory_of(&policy.name)).collect();
    if new.len() > 1 {
        let new: Vec<_> = new.into_iter().map(|new| if new.is_empty() { "." } else { new }).collect();
        return Err(wrong_use(format_args!(
            "new policies lie in several directories ({}); one commit takes those of one: apply each directory by \
             itself, with --folder",
            new.join(", ")
        )));
    }
    Ok(new.into_iter().next().unwrap_or_default().to_owned())
}

fn show(written: &Written, output: Option<Format>, dry_run: bool) -> ExitCode {
    let names = || written.policies.iter().map(|policy| format!("policy/{}\n", policy.name)).collect();
    print(&match output {
        None => results(written, dry_run),
        Some(Format::Name) => names(),
        Some(Format::Json) => Output::Json.render(written, String::new),
        Some(Format::Yaml) => Output::Yaml.render(written, String::new),
    });
    tell(written);
    ExitCode::from(DONE)
}

/// Tells why the server refuses, each mistake at its place in the files that were given.
fn refused(body: &Body, failure: &Failure) -> ExitCode {
    let Failure::Refused { problem, .. } = failure else { return failed(failure) };
    if problem.errors.is_empty() {
        return failed(failure);
    }
    for mistake in &problem.errors {
        error(body.told(mistake));
    }
    failed_as_told(failure)
}
