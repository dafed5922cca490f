//! The commands that change policies: their options, and what they tell.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use policies::reading::{Finding, Place, Problem};

use crate::{
    api::{self, writes::Written},
    cli::{
        console::{DONE, note, print, warning},
        server::{ServerArgs, failed},
    },
    client::{Client, Failure, writing::Change},
};

/// The options of every command that changes policies.
#[derive(Debug, Args)]
pub(super) struct Changing {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// The subject of the commit, one line [default: made from the names]
    #[arg(short, long, value_name = "TEXT")]
    pub(super) message: Option<String>,

    /// Put into force what had ended or was suspended, or what comes into force by this change
    #[arg(long)]
    pub(super) restart: bool,

    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// The query of every change.
pub(super) fn query(dry_run: bool, restart: bool, message: Option<&str>) -> Vec<(&str, &str)> {
    let switches = [("dryRun", dry_run), ("restart", restart)];
    let switches = switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (name, "true"));
    switches.chain(message.map(|message| ("message", message))).collect()
}

/// The longest pause, in seconds, that a server may ask for between two changes of one command.
const LONGEST_PAUSE: u64 = 60;

/// A change under way.
pub(super) struct Connected {
    pub(super) client: Client,
    /// This is one of several changes, and those behind it must not stay undone.
    is_patient: bool,
    pub(super) dry_run: bool,
    pub(super) restart: bool,
    pub(super) message: Option<String>,
}

impl Changing {
    pub(super) async fn connect(self) -> Result<Connected, ExitCode> {
        let Self { dry_run, message, restart, server } = self;
        Ok(Connected { client: server.client().await?, is_patient: false, dry_run, restart, message })
    }

    /// The same for a change of each of these policies.
    pub(super) async fn connect_for(self, names: &[String]) -> Result<Connected, ExitCode> {
        Ok(Connected { is_patient: names.len() > 1, ..self.connect().await? })
    }
}

impl Connected {
    pub(super) fn query(&self) -> Vec<(&str, &str)> {
        query(self.dry_run, self.restart, self.message.as_deref())
    }

    /// Makes a change. One of several waits where the server takes no more changes for now (429), since nothing was done
    /// then.
    pub(super) async fn change(
        &self,
        change: Change<'_>,
        query: &[(&str, &str)],
    ) -> Result<Written, Failure> {
        loop {
            let made = self.client.change(change, query).await;
            let pause = match &made {
                Err(Failure::Refused { problem, retry_after: Some(seconds) })
                    if self.is_patient && problem.status == 429 && *seconds <= LONGEST_PAUSE =>
                {
                    note(format_args!("{}: going on in {seconds} s", problem.detail));
                    Duration::from_secs(*seconds)
                }
                _ => return made,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Tells what was done, or why not.
    pub(super) fn end(&self, written: Result<Written, Failure>) -> ExitCode {
        self.end_or(written, failed)
    }

    /// The same, with words of its own for a failure.
    pub(super) fn end_or(
        &self,
        written: Result<Written, Failure>,
        told: impl FnOnce(&Failure) -> ExitCode,
    ) -> ExitCode {
        match written {
            Ok(written) => {
                print(&results(&written, self.dry_run));
                tell(&written);
                ExitCode::from(DONE)
            }
            Err(failure) => told(&failure),
        }
    }
}

/// A line for each policy: `policy/checkout-errors created`.
pub(super) fn results(written: &Written, dry_run: bool) -> String {
    let dry_run = if dry_run { " (dry run)" } else { "" };
    let line = |policy: &api::writes::WrittenPolicy| {
        format!("policy/{} {}{dry_run}\n", policy.name, policy.result.as_str())
    };
    written.policies.iter().map(line).collect()
}

/// Tells on stderr what else is to be known.
pub(super) fn tell(written: &Written) {
    for api::finding::Finding { column, field, file, line, message } in &written.warnings {
        let place = Place { line: *line, column: *column };
        let finding = Finding { place, field: field.clone(), message: message.clone() };
        warning(Problem { file: file.as_str().into(), finding });
    }
    match written {
        Written { branch: Some(branch), link, .. } => {
            let link = link.as_ref().map(|link| format!(": {link}")).unwrap_or_default();
            warning(format_args!("the change is on the branch {branch} and not in force; propose it{link}"));
        }
        Written { commit: Some(commit), served: false, .. } => {
            warning(format_args!("commit {commit} is in Git, and this server does not serve it yet"));
        }
        _ => {}
    }
}
