//! `hfi policy apply`.

mod body;
mod directory;
mod expiry;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};

use self::{body::Body, expiry::moment_in};
use super::{
    changing::{Changing, results, tell},
    waiting,
};
use crate::{
    api::writes::Written,
    cli::{
        console::{DONE, NOT_RIGHT, error, next, print},
        interrupt::Interrupt,
        output::Output,
        server::{failed, failed_as_told},
        values::duration,
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

    /// Set `spec.expiresAt` of all policies to this time from now, such as 10m
    #[arg(long, value_name = "TIME", value_parser = from_a_second)]
    expires_in: Option<Duration>,

    /// Wait until the filters run it, at most this long [default without a value: 1m]
    ///
    /// Ends with 0 once at least one filter, and every one that the server heard of in the last 2 minutes, runs each
    /// policy. A scheduled policy is not waited for.
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1m",
        value_parser = from_a_second,
        conflicts_with = "dry_run"
    )]
    wait: Option<Duration>,

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

/// A time of at least a second, and at most a year.
fn from_a_second(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1)..=Duration::from_hours(24 * 366), "from 1s to 366days")
}

impl Apply {
    pub(super) async fn run(self) -> ExitCode {
        let Self { files, folder, allow_wildcard, rewrite, expires_in, wait, output, changing } = self;
        let folder = folder.unwrap_or_default();
        let expires_at = expires_in.map(|time| moment_in(time).to_rfc3339());
        let body = match Body::read(&files, &folder, expires_at.as_deref()) {
            Ok(body) => body,
            Err(code) => return code,
        };
        let connected = match changing.connect().await {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        let switches = [("allowWildcard", allow_wildcard), ("rewrite", rewrite)];
        let switches: Vec<_> =
            switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (name, "true")).collect();
        let mut parameters = connected.query();
        parameters.extend(&switches);
        parameters.extend((!folder.is_empty()).then_some(("folder", folder.as_str())));
        let mut interrupt = Interrupt::new();
        let applying = connected.client.change(body.change(), &parameters);
        let applied = match interrupt.unless(applying).await {
            Some(Ok(written)) => written,
            Some(Err(failure)) => return refused(&body, &failure),
            None => return interrupted(),
        };
        show(&applied, output, connected.dry_run);
        match wait {
            Some(time) => waiting::wait(&connected.client, &applied, time, &mut interrupt).await,
            None => ExitCode::from(DONE),
        }
    }
}

/// Says what is known after an interruption.
fn interrupted() -> ExitCode {
    error("interrupted; the server may have made the change, and goes on if its push has begun");
    next("run the same command again: what was done already is `unchanged`");
    ExitCode::from(NOT_RIGHT)
}

fn show(written: &Written, output: Option<Format>, dry_run: bool) {
    let names = || written.policies.iter().map(|policy| format!("policy/{}\n", policy.name)).collect();
    print(&match output {
        None => results(written, dry_run),
        Some(Format::Name) => names(),
        Some(Format::Json) => Output::Json.render(written, String::new),
        Some(Format::Yaml) => Output::Yaml.render(written, String::new),
    });
    tell(written);
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
