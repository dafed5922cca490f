//! `hfi policy apply`.

mod body;
mod directory;
mod expiry;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};
use policies::Timestamp;

use self::{body::Body, expiry::moment_in};
use super::{
    changing::{Changing, results, tell},
    documents::Documents,
    waiting,
};
use crate::{
    api::writes::Written,
    cli::{
        console::{DONE, NOT_RIGHT, error, next, print},
        interrupt::Interrupt,
        output::Output,
        server::{AGAIN, failed_as_told, failed_change},
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

    #[command(flatten)]
    documents: Documents,

    /// Set `spec.expiresAt` of all policies to this time from now, such as 10m
    #[arg(long, value_name = "TIME", value_parser = from_a_second)]
    expires_in: Option<Duration>,

    /// Set `spec.expiresAt` of all policies to this moment, such as 2026-12-01T10:00:00Z
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse, conflicts_with = "expires_in")]
    expires_at: Option<Timestamp>,

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
        let Self { files, documents, expires_in, expires_at, wait, output, changing } = self;
        let expires_at = expires_at.or_else(|| expires_in.map(moment_in)).map(Timestamp::to_rfc3339);
        // The same command would move the end.
        let again = match expires_at.as_deref().filter(|_| expires_in.is_some()) {
            Some(at) => format!(
                "run the same command again with --expires-at {at} in the place of --expires-in: what was done \
                 already is `unchanged`"
            ),
            None => AGAIN.to_owned(),
        };
        let body = match Body::read(&files, documents.folder(), expires_at.as_deref()) {
            Ok(body) => body,
            Err(code) => return code,
        };
        let connected = match changing.connect().await {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        let mut parameters = connected.query();
        parameters.extend(documents.query());
        let mut interrupt = Interrupt::new();
        let applying = connected.client.change(body.change(), &parameters);
        let applied = match interrupt.unless(applying).await {
            Some(Ok(written)) => written,
            Some(Err(failure)) => return refused(&body, &failure, &again),
            None => return interrupted(&again),
        };
        show(&applied, output, connected.dry_run);
        match wait {
            Some(time) => waiting::wait(&connected.client, &applied, time, &mut interrupt).await,
            None => ExitCode::from(DONE),
        }
    }
}

/// Says what is known after an interruption.
fn interrupted(again: &str) -> ExitCode {
    error("interrupted; the server may have made the change, and goes on if its push has begun");
    next(again);
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

/// Tells why the server refuses, each mistake at its place in the files that were given. `again` is what settles a
/// change whose end is not known.
fn refused(body: &Body, failure: &Failure, again: &str) -> ExitCode {
    let mistakes = match failure {
        Failure::Refused { problem, .. } => problem.errors.as_slice(),
        _ => &[],
    };
    if mistakes.is_empty() {
        return failed_change(failure, again);
    }
    for mistake in mistakes {
        error(body.told(mistake));
    }
    failed_as_told(failure)
}
