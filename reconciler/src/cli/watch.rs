//! `hfi watch`: the events of a server as they come.

use std::{ops::ControlFlow, process::ExitCode};

use clap::{Args, ValueEnum};

use super::{
    console::{DONE, try_print_styled},
    following::follow,
    moment::short_revision,
    server::ServerArgs,
};
use crate::{
    api::{counts::Counts, events::Event},
    clock::now,
    printable::printable,
};

/// Show what a server serves, and every change as it comes.
///
/// A line each: the time, the revision, and the number of policies in each state. Connects again when the connection
/// is lost.
#[derive(Debug, Args)]
pub struct Watch {
    /// The format of an event
    #[arg(short, long, default_value = "table")]
    output: EventOutput,

    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EventOutput {
    /// A line for people
    Table,
    /// A line of JSON
    Json,
}

impl Watch {
    /// Prints until stdout is closed, or the server refuses.
    pub async fn run(self) -> ExitCode {
        let client = match self.server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let output = self.output;
        follow(&client, async |event| {
            let line = match output {
                EventOutput::Table => line(&event),
                // Texts and numbers can always be written.
                EventOutput::Json => serde_json::to_string(&event).unwrap_or_default(),
            };
            match try_print_styled(&format!("{}\n", printable(&line))) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(ExitCode::from(DONE)),
            }
        })
        .await
    }
}

fn line(Event { halted, revision, summary, withdrawn, .. }: &Event) -> String {
    let mut parts = vec![now().to_rfc3339(), short_revision(revision).to_owned(), counted(summary)];
    parts.extend(halted.then(|| "halted".to_owned()));
    parts.extend(withdrawn.as_ref().map(|reason| format!("withdrawn: {reason}")));
    parts.join("  ")
}

/// The states that some policy is in, and the files with errors.
fn counted(counts: &Counts) -> String {
    let states = counts.states().into_iter().filter(|(state, number)| *number > 0 || *state == "active");
    let mut parts: Vec<_> = states.map(|(state, number)| format!("{number} {state}")).collect();
    match counts.rejected_files {
        0 => {}
        1 => parts.push("1 rejected file".to_owned()),
        files => parts.push(format!("{files} rejected files")),
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Counts, counted};

    #[test]
    fn what_there_is_is_counted() {
        assert_eq!(counted(&Counts::default()), "0 active");
        let counts = Counts { active: 2, scheduled: 1, rejected_files: 1, ..Counts::default() };
        assert_eq!(counted(&counts), "2 active, 1 scheduled, 1 rejected file");
    }
}
