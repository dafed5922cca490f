//! `hfi halt`: everything stops.

use std::{
    collections::BTreeSet,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;

use super::{
    console::{DONE, NOT_RIGHT, error, next, note, print, warning},
    interrupt::Interrupt,
    progress::Progress,
    server::{ServerArgs, failed, failed_change},
    values::duration,
};
use crate::{
    api::halts::{Durable, HaltState},
    client::{Client, Failure},
};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(300);

/// Stop all faults at once, until `hfi resume`
///
/// Ends with 0 once the halt is in Git, so that no restart undoes it, and no replica is known that is not halted.
#[derive(Debug, Args)]
pub struct Halt {
    /// The reason, for all who see it
    #[arg(short, long = "message", value_name = "REASON", default_value = "halted at the command line")]
    message: String,

    /// The longest time to wait until it is in Git and no replica is missing
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = at_most_ten_minutes)]
    wait: Duration,

    #[command(flatten)]
    server: ServerArgs,
}

fn at_most_ten_minutes(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1)..=Duration::from_mins(10), "from 1s to 10m")
}

impl Halt {
    pub async fn run(self) -> ExitCode {
        let Self { message, wait, server } = self;
        let client = match server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let mut interrupt = Interrupt::new();
        let mut known = match interrupt.unless(client.halt(&message)).await {
            Some(Ok(state)) => Known { state, behind: BTreeSet::new() },
            Some(Err(failure)) => {
                return failed_change(&failure, "run `hfi halt` again: what is halted stays so");
            }
            None => return interrupted("the server may be halted"),
        };
        note(told(&known.state));
        let progress = Progress::new();
        let waited = tokio::time::timeout(wait, until_safe(&client, &mut known, &progress));
        let waited = interrupt.unless(waited).await;
        drop(progress);
        match waited {
            None => interrupted("the halt stands"),
            Some(Ok(Some(failure))) => failed(&failure),
            Some(Ok(None) | Err(_)) => end(&known),
        }
    }
}

/// What the answers have told so far.
#[derive(Debug)]
struct Known {
    state: HaltState,
    /// The replicas that answered in place of the first one, and were not halted yet.
    behind: BTreeSet<String>,
}

impl Known {
    /// Takes over a later answer, which may come from another replica.
    fn learn(&mut self, seen: HaltState) {
        let name = answering(&seen).to_owned();
        if seen.halted {
            self.behind.remove(&name);
            self.state = seen;
        } else if name == answering(&self.state) || name.is_empty() {
            self.state = seen;
        } else {
            self.behind.insert(name);
        }
    }

    /// True if no replica is missing, and no restart undoes the halt.
    fn is_safe(&self) -> bool {
        is_safe(&self.state) && self.behind.is_empty()
    }
}

/// The name of the replica that has answered.
fn answering(state: &HaltState) -> &str {
    state.replicas.first().map_or("", |replica| replica.name.as_str())
}

fn interrupted(what: &str) -> ExitCode {
    error(format_args!("interrupted; {what}"));
    next("GET /v1/halt says how far it is; `hfi resume` ends it");
    ExitCode::from(NOT_RIGHT)
}

/// The halt in a line.
fn told(HaltState { by, reason, since, .. }: &HaltState) -> String {
    let by = by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    let since = since.map(|since| format!(" since {}", String::from(since))).unwrap_or_default();
    let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("halted{by}{since}{reason}")
}

/// True by the word of one replica.
fn is_safe(state: &HaltState) -> bool {
    state.halted && state.durable == Some(Durable::Git) && state.complete != Some(false)
}

/// Looks until the halt is safe or over, or the server refuses.
async fn until_safe(client: &Client, known: &mut Known, progress: &Progress) -> Option<Failure> {
    let (begun, mut has_looked) = (Instant::now(), false);
    // The answer to the halt itself counts only the filters of the replica that gave it.
    while known.state.halted && !(known.is_safe() && has_looked) {
        let replicas = &known.state.replicas;
        let halted = replicas.iter().filter(|replica| replica.halted).count();
        let durable = known.state.durable.map_or("nowhere", Durable::as_str);
        let (all, seconds) = (replicas.len() + known.behind.len(), begun.elapsed().as_secs());
        progress.show(halted, all, &format!("{halted} of {all} replicas, kept in {durable}, {seconds} s"));
        tokio::time::sleep(PAUSE).await;
        match client.get::<HaltState>(&["v1", "halt"], &[]).await {
            Ok(seen) => {
                known.learn(seen);
                has_looked = true;
            }
            Err(failure) if failure.is_passing() => {}
            Err(failure) => return Some(failure),
        }
    }
    None
}

/// Tells how far the halt is: what may still inject, and what a restart undoes.
fn end(known: &Known) -> ExitCode {
    let state = &known.state;
    if !state.halted {
        error("the halt was ended by somebody else");
        next("`hfi policy list` shows what is in force");
        return ExitCode::from(NOT_RIGHT);
    }
    let (stopped, waiting) = (state.filters.stopped, state.filters.waiting);
    if waiting > 0 {
        warning(format_args!("{waiting} filters have not confirmed that they stopped, and may still inject"));
    }
    if known.is_safe() {
        if state.complete.is_none() {
            warning("this replica does not ask the others (--peers): these stop once they have read Git");
        }
        if stopped + waiting == 0 {
            warning(
                "no filter has polled: those that cannot reach hfi, or have not polled yet, may still inject",
            );
        }
        print(&format!("everything is halted, and kept in Git; {stopped} filters have stopped\n"));
        note(
            "a filter that cannot reach hfi goes on until its max_staleness_seconds are over (900 unless it says more)",
        );
        return ExitCode::from(DONE);
    }
    for replica in state.replicas.iter().filter(|replica| !replica.halted) {
        let reason = replica.error.as_deref().unwrap_or("it is not halted");
        may_inject(&replica.name, reason);
    }
    known.behind.iter().for_each(|name| may_inject(name, "it has not read the halt yet"));
    let undone = match state.durable {
        Some(Durable::Git) => None,
        Some(Durable::Disk) => Some("it is not in Git: a replica that is replaced does not know it"),
        Some(Durable::Pending) => Some("its commit is not in Git yet: a restart may undo it"),
        Some(Durable::Memory | Durable::Unknown) | None => Some("it is in memory only: a restart undoes it"),
    };
    if let Some(undone) = undone {
        error(match &state.trouble {
            Some(trouble) => format!("{undone} ({trouble})"),
            None => undone.to_owned(),
        });
    }
    next("remove the policies in Git, or commit `hfi-halt.yaml`; GET /v1/halt says how far it is");
    ExitCode::from(NOT_RIGHT)
}

fn may_inject(replica: &str, reason: &str) {
    error(format_args!("the filters of replica {replica} may still inject: {reason}"));
}

#[cfg(test)]
mod tests {
    use super::{Durable, HaltState, is_safe};

    #[test]
    fn a_halt_is_safe_in_git_and_at_every_replica() {
        let state =
            |halted, durable, complete| HaltState { halted, durable, complete, ..HaltState::default() };
        for durable in Durable::ALL {
            for complete in [None, Some(true), Some(false)] {
                let is_right = durable == Durable::Git && complete != Some(false);
                assert_eq!(
                    is_safe(&state(true, Some(durable), complete)),
                    is_right,
                    "{durable:?} {complete:?}"
                );
                assert!(!is_safe(&state(false, Some(durable), complete)));
            }
        }
        assert!(!is_safe(&state(true, None, Some(true))));
    }
}
