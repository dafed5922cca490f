//! `hfi policy list`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    process::ExitCode,
};

use clap::Args;
use serde_json::json;

use super::row::{Hold, row, table, tell};
use crate::{
    api::{
        policy_status::{PolicyState, PolicyStatus},
        status::Status,
    },
    cli::{
        console::{self, DONE, try_print_styled},
        following::follow,
        listing::ListOutput,
        server::{ServerArgs, failed},
        table::{Cell, Widths},
        terminal::Colour,
    },
    client::{Client, Failure},
    clock::now,
};

/// List the policies of a server, with their state
///
/// `-o json` and `-o yaml` have what `GET /v1/policies/status` says of each; `hfi policy get` has the documents.
#[derive(Debug, Args)]
pub(super) struct List {
    /// The output format
    #[arg(short, long, default_value = "table")]
    output: ListOutput,

    /// Go on with a line for each policy that changes
    #[arg(short, long)]
    watch: bool,

    #[command(flatten)]
    server: ServerArgs,
}

impl List {
    pub(super) async fn run(self) -> ExitCode {
        let Self { output, watch, server } = self;
        if watch && !matches!(output, ListOutput::Table | ListOutput::Wide) {
            return console::wrong_use(
                "--watch has lines of a table only; `hfi watch -o json` tells of every change",
            );
        }
        let client = match server.clone().client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        if watch {
            return changes(&server, client, output).await;
        }
        match read(&client).await {
            Ok(status) => {
                show(&status, output);
                ExitCode::from(DONE)
            }
            Err(failure) => failed(&failure),
        }
    }
}

pub(super) async fn read(client: &Client) -> Result<Status, Failure> {
    let mut status: Status = client.get(&["v1", "policies", "status"], &[]).await?;
    status.policies.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(status)
}

/// Prints the policies of a status.
pub(super) fn show(status: &Status, output: ListOutput) {
    tell(status);
    let names = status.policies.iter().map(|policy| format!("policy/{}", policy.name));
    let listed = json!({"policies": status.policies});
    output.print(&listed, |wide| table(&status.policies, Hold::of(status), now(), wide), names);
}

/// Prints the policies that come into force when the halt of everything ends, those too that its document in Git holds.
/// Returns their number. Warns of those whose directory stays halted.
pub(crate) fn returning(status: &Status) -> usize {
    let held = status.policies.iter();
    let held = held.filter(|policy| matches!(policy.state, PolicyState::Active | PolicyState::Halted));
    let (returning, staying): (Vec<_>, Vec<_>) = held.partition(|policy| policy.halted_by.is_empty());
    if !returning.is_empty() {
        let table = table(returning.iter().copied(), Hold::None, now(), false);
        console::print_styled(&table.render(ListOutput::Table.terminal()));
    }
    let places: BTreeSet<_> = staying.iter().flat_map(|policy| &policy.halted_by).collect();
    for place in places {
        let held = staying.iter().filter(|policy| policy.halted_by.contains(place)).count();
        console::warning(format_args!("{place} keeps its directory halted; policies there: {held}"));
    }
    returning.len()
}

/// A policy without what requests change.
fn without_counts(policy: &PolicyStatus) -> PolicyStatus {
    PolicyStatus { measured: None, ..policy.clone() }
}

/// A listing that goes on with a line for each policy that changes.
struct Changes {
    output: ListOutput,
    widths: Widths,
    /// The last row of each policy, without what only the time changes.
    shown: BTreeMap<String, (PolicyStatus, Hold)>,
}

async fn changes(server: &ServerArgs, client: Client, output: ListOutput) -> ExitCode {
    let mut changes: Option<Changes> = None;
    follow(server, client, async |client, _| {
        let status = match read(client).await {
            Ok(status) => status,
            // The stream goes on, and says when there is something new.
            Err(failure) if failure.is_passing() && changes.is_some() => {
                console::warning(&failure);
                return ControlFlow::Continue(());
            }
            Err(failure) => return ControlFlow::Break(failed(&failure)),
        };
        let text = match &mut changes {
            Some(changes) => changes.next(&status),
            None => {
                let (first, text) = Changes::first(&status, output);
                changes = Some(first);
                text
            }
        };
        match try_print_styled(&text) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(ExitCode::from(DONE)),
        }
    })
    .await
}

impl Changes {
    fn first(status: &Status, output: ListOutput) -> (Self, String) {
        tell(status);
        let hold = Hold::of(status);
        let table = table(&status.policies, hold, now(), output == ListOutput::Wide);
        let shown =
            status.policies.iter().map(|policy| (policy.name.clone(), (without_counts(policy), hold)));
        let first = Self { output, widths: table.widths(), shown: shown.collect() };
        (first, table.render(output.terminal()))
    }

    /// The lines of the policies that changed since the last call, or went.
    fn next(&mut self, status: &Status) -> String {
        let (hold, now, wide) = (Hold::of(status), now(), self.output == ListOutput::Wide);
        let (widths, terminal) = (&self.widths, self.output.terminal());
        let mut gone = std::mem::take(&mut self.shown);
        let mut text = String::new();
        for policy in &status.policies {
            let present = (without_counts(policy), hold);
            if gone.remove(&policy.name).as_ref() != Some(&present) {
                text += &widths.line(&row(policy, hold, now, wide), terminal);
            }
            self.shown.insert(policy.name.clone(), present);
        }
        for (policy, hold) in gone.values() {
            let mut row = row(policy, *hold, now, wide);
            if let Some(state) = row.get_mut(1) {
                *state = Cell::painted("deleted", Colour::Faint);
            }
            text += &widths.line(&row, terminal);
        }
        text
    }
}
