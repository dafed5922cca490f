//! `hfi watch`: the events of a server as they come.

use std::{ops::ControlFlow, process::ExitCode};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{
    console::{DONE, try_print_styled},
    figures::{rate, share},
    following::{Told, follow, follow_overviews},
    moment::short_revision,
    server::ServerArgs,
};
use crate::{
    api::{
        counts::Counts,
        events::Event,
        overview::{Overview, in_force::InForce},
    },
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

    /// Also a line whenever the faults a second of a policy change, or their share of requests; with `-o json` the
    /// overview
    #[arg(long)]
    rates: bool,

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
        let client = match self.server.clone().client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let output = self.output;
        if !self.rates {
            return follow(&self.server, client, async |_, event| put(&output.render(&event, line))).await;
        }
        let mut last = String::new();
        follow_overviews(&self.server, client, async |told| match told {
            Told::Snapshot(event) => put(&output.render(&event, line)),
            Told::Overview(overview) => {
                let rates = rates(&overview);
                if std::mem::replace(&mut last, rates.clone()) == rates {
                    return ControlFlow::Continue(());
                }
                let line = |overview: &Overview| format!("{}  rates  {rates}", overview.at.0.to_rfc3339());
                put(&output.render(&*overview, line))
            }
            Told::Moment | Told::Lost(_) => ControlFlow::Continue(()),
        })
        .await
    }
}

impl EventOutput {
    fn render<T: Serialize>(self, event: &T, line: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Table => line(event),
            // Texts and numbers can always be written.
            Self::Json => serde_json::to_string(event).unwrap_or_default(),
        }
    }
}

/// Prints a line; ends if nobody reads it.
fn put(line: &str) -> ControlFlow<ExitCode> {
    match try_print_styled(&format!("{}\n", printable(line))) {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(ExitCode::from(DONE)),
    }
}

/// The faults a second and the measured share of each policy in force that filters report of.
fn rates(overview: &Overview) -> String {
    let rate = |policy: &InForce| {
        let measured = policy.measured.as_ref()?;
        let share = Some(share(Some(measured))).filter(|share| !share.is_empty());
        let share = share.map(|share| format!(" ({share})")).unwrap_or_default();
        Some(format!("{} {} faults/s{share}", policy.name, rate(Some(measured))))
    };
    let rates: Vec<_> = overview.in_force.items.iter().filter_map(rate).collect();
    if rates.is_empty() { "none measured".to_owned() } else { rates.join(", ") }
}

fn line(Event { halted, revision, summary, withdrawn, .. }: &Event) -> String {
    let mut parts = vec![now().to_rfc3339(), short_revision(revision).to_owned(), counted(summary)];
    parts.extend(halted.then(|| "halted".to_owned()));
    parts.extend(withdrawn.as_ref().map(|reason| format!("withdrawn: {reason}")));
    parts.join("  ")
}

/// The states that some policy is in, and the files with errors.
pub(crate) fn counted(counts: &Counts) -> String {
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
    use super::{Counts, Overview, counted, rates};

    #[test]
    fn the_rates_of_policies_that_are_measured_are_told() {
        let mut overview: Overview =
            serde_json::from_str(include_str!("../api/tests/overview.json")).unwrap();
        assert_eq!(rates(&overview), "checkout-errors 14 faults/s (31% of 100)");
        overview.in_force.items[0].measured = None;
        assert_eq!(rates(&overview), "none measured");
    }

    #[test]
    fn what_there_is_is_counted() {
        assert_eq!(counted(&Counts::default()), "0 active");
        let counts = Counts { active: 2, scheduled: 1, rejected_files: 1, ..Counts::default() };
        assert_eq!(counted(&counts), "2 active, 1 scheduled, 1 rejected file");
    }
}
