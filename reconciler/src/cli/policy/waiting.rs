//! `hfi policy apply --wait`: waits until the filters run what was applied.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use policies::Timestamp;

use super::{reached::is_for, row::Hold};
use crate::{
    api::{
        filters::{Filter, FilterState, Filters},
        peers::MissingReplica,
        policy_status::{PolicyState, PolicyStatus},
        status::{OWN, Status},
        time::Time,
        writes::Written,
    },
    cli::{
        console::{DONE, NOT_RIGHT, error, next, note},
        interrupt::Interrupt,
        progress::Progress,
        server::failed,
    },
    client::{Client, Failure},
    clock::now,
    fleet::gathered::SETTLED,
};

/// The pauses between two looks.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A filter that was heard of within this time, in milliseconds, must run what was applied.
const RECENT: u64 = 120_000;
/// The most policies, and filters of each, that are told.
const MAX_TOLD: usize = 10;

/// How far a policy is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progressing {
    /// All filters that it reaches are as they should be.
    Done {
        filters: usize,
        what: &'static str,
    },
    Scheduled(Option<Time>),
    /// These filters do not run it yet.
    Waits {
        missing: Vec<String>,
        of: usize,
    },
    /// It is not known yet whether all filters run it.
    Unknown {
        of: usize,
        reason: &'static str,
    },
    /// Waiting changes nothing.
    Never {
        reason: String,
        next: &'static str,
    },
}

/// What was seen last.
#[derive(Debug, Default)]
struct Seen {
    policies: Vec<(String, Progressing)>,
    /// The replicas whose filters these are, of all, if the server asks the others.
    replicas: Option<String>,
    /// The replicas that did not answer.
    missing: Vec<MissingReplica>,
    failure: Option<Failure>,
}

/// Waits for at most this time, and tells how it ended.
pub(super) async fn wait(
    client: &Client,
    written: &Written,
    time: Duration,
    interrupt: &mut Interrupt,
) -> ExitCode {
    let Some(revision) = &written.revision else {
        error("nothing to wait for: the change is not on the branch that is served");
        next("after the merge, `hfi filters` shows what each filter runs");
        return ExitCode::from(NOT_RIGHT);
    };
    let names: Vec<_> = written.policies.iter().map(|policy| policy.name.as_str()).collect();
    let (mut seen, progress) = (Seen::nothing_of(&names), Progress::new());
    let looking = tokio::time::timeout(time, settled(client, revision, &names, &progress, &mut seen));
    let ended = interrupt.unless(looking).await;
    drop(progress);
    if ended.is_none() {
        return interrupted(written);
    }
    match ended {
        Some(Ok(Some(failure))) => failed(&failure),
        _ => seen.tell(time),
    }
}

/// Says what stands after an interruption.
fn interrupted(written: &Written) -> ExitCode {
    match (&written.commit, &written.revision) {
        (Some(commit), _) => error(format_args!("interrupted; the change stands, as commit {commit}")),
        _ => error("interrupted; the policies were already so"),
    }
    next("`hfi filters` shows what each filter runs; `hfi policy rollback` undoes the change of a policy");
    ExitCode::from(NOT_RIGHT)
}

/// Looks until nothing is left to wait for, or the server refuses.
async fn settled(
    client: &Client,
    revision: &str,
    names: &[&str],
    progress: &Progress,
    seen: &mut Seen,
) -> Option<Failure> {
    let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match look(client, revision, names).await {
            Ok(now) => *seen = now,
            Err(failure) if failure.is_passing() => seen.failure = Some(failure),
            Err(failure) => return Some(failure),
        }
        if seen.failure.is_none() && !seen.policies.iter().any(|(_, policy)| policy.is_waiting()) {
            return None;
        }
        let (done, all) = seen.filters();
        let seconds = begun.elapsed().as_secs();
        progress.show(done, all, &format!("{done} of {all} filters run it, {seconds} s"));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn look(client: &Client, revision: &str, names: &[&str]) -> Result<Seen, Failure> {
    let mut status: Status = client.get_at(revision, &["v1", "policies", "status"], &OWN).await?;
    loop {
        let filters: Filters = client.get_at(revision, &["v1", "filters"], &[]).await?;
        let policies = each(names, &status, &filters);
        let is_waiting = policies.iter().any(|(_, policy)| policy.is_waiting());
        if !is_waiting {
            // A hold that came between the two answers empties what the filters run.
            status = client.get_at(revision, &["v1", "policies", "status"], &OWN).await?;
        }
        if is_waiting || each(names, &status, &filters) == policies {
            let Filters { replicas, missing, .. } = filters;
            return Ok(Seen { policies, replicas, missing, failure: None });
        }
    }
}

/// How far each policy is, by answers of the server.
fn each(names: &[&str], status: &Status, filters: &Filters) -> Vec<(String, Progressing)> {
    let hold = Hold::of(status);
    let progressing = names.iter().map(|name| {
        let policy = status.policies.iter().find(|policy| policy.name == *name);
        let progressing = match policy {
            Some(policy) => progressing(policy, hold, filters, filters.at.map_or_else(now, |at| at.0)),
            None => Progressing::Never {
                reason: "it is no longer there, or not valid any more".to_owned(),
                next: "`hfi policy history` shows who changed it",
            },
        };
        ((*name).to_owned(), progressing)
    });
    progressing.collect()
}

/// How far a policy is, by the clock of the server.
fn progressing(policy: &PolicyStatus, hold: Hold, filters: &Filters, now: Timestamp) -> Progressing {
    let never = |reason: &str, next| Progressing::Never { reason: reason.to_owned(), next };
    match (hold, policy.state) {
        (Hold::Halted, _) => {
            return never("everything is halted, so no filter runs it", "`hfi resume` ends the halt");
        }
        (Hold::Withdrawn, _) => {
            return never("no policy is in force: a signer lost permission", "`hfi policy list` says why");
        }
        (Hold::None, PolicyState::Scheduled) => return Progressing::Scheduled(policy.starts_at),
        (Hold::None, PolicyState::Halted) => {
            return never("its directory is halted in Git", "remove the document of kind Halt above it");
        }
        (Hold::None, PolicyState::Expired) => {
            return never("it has ended", "`hfi policy apply --restart` puts it into force anew");
        }
        (Hold::None, PolicyState::Inactive) => {
            return never("its namespace is not in the cluster", "`hfi policy list` shows it as inactive");
        }
        (Hold::None, PolicyState::Unknown) => {
            return never("its state is of a newer release", "use the `hfi` of the server's release");
        }
        (Hold::None, PolicyState::Active | PolicyState::Suspended) => {}
    }
    let Some(selector) = policy.targets.selector.parsed() else {
        return never("its selector is of a newer release", "use the `hfi` of the server's release");
    };
    let is_recent = |filter: &&Filter| {
        filter.state != FilterState::Gone || now.millis_since(filter.last_contact.0) < RECENT
    };
    let reached = filters.filters.iter().filter(|filter| is_for(&selector, filter));
    let reached: Vec<_> = reached.filter(is_recent).collect();
    let missing = reached.iter().filter(|filter| filter.state != FilterState::InStep || !filter.newest);
    let missing: Vec<_> = missing.map(|filter| filter.node.clone()).collect();
    let (of, is_suspended) = (reached.len(), policy.state == PolicyState::Suspended);
    // One that is suspended has nothing to do at a filter, but that each must know.
    if !missing.is_empty() || of == 0 && !is_suspended {
        return Progressing::Waits { missing, of };
    }
    // A balancer may lead the status and the filters to two replicas.
    if filters.held {
        let reason = "a replica is halted or has withdrawn all policies, so its filters run none";
        return Progressing::Unknown { of, reason };
    }
    if !filters.missing.is_empty() {
        return Progressing::Unknown {
            of,
            reason: "a replica does not answer, and more filters may poll it",
        };
    }
    if !filters.complete {
        return Progressing::Unknown { of, reason: "more filters may poll than the server knows" };
    }
    if filters.listening_seconds < SETTLED.as_secs() {
        let reason = "a replica has just begun or ended, and more filters may poll";
        return Progressing::Unknown { of, reason };
    }
    Progressing::Done { filters: of, what: if is_suspended { "is suspended at" } else { "runs in" } }
}

impl Progressing {
    fn is_waiting(&self) -> bool {
        matches!(self, Self::Waits { .. } | Self::Unknown { .. })
    }
}

impl Seen {
    /// What is known before the first answer.
    fn nothing_of(names: &[&str]) -> Self {
        let reason = "the server has not said what the filters run";
        let unknown = |name: &&str| ((*name).to_owned(), Progressing::Unknown { of: 0, reason });
        Self { policies: names.iter().map(unknown).collect(), ..Self::default() }
    }

    /// The filters that run what was applied, and all that should; for several policies, the sums.
    fn filters(&self) -> (usize, usize) {
        let each = self.policies.iter().map(|(_, policy)| match policy {
            Progressing::Done { filters, .. } => (*filters, *filters),
            Progressing::Waits { missing, of } => (of - missing.len(), *of),
            Progressing::Unknown { of, .. } => (0, *of),
            Progressing::Scheduled(_) | Progressing::Never { .. } => (0, 0),
        });
        each.fold((0, 0), |(done, all), (more_done, more)| (done + more_done, all + more))
    }

    /// Tells how far each policy is, now that the waiting is over.
    fn tell(self, time: Duration) -> ExitCode {
        let Self { policies, replicas, missing, failure } = self;
        if let Some(failure) = failure {
            return failed(&failure);
        }
        let polled = replicas.map_or("this replica".to_owned(), |count| format!("the replicas ({count})"));
        let (mut wrong, mut step) = (0, None);
        for (name, policy) in &policies {
            let reason = match policy {
                Progressing::Done { filters, what } => {
                    let poll = if *filters == 1 { "that polls" } else { "that poll" };
                    note(format_args!("policy/{name} {what} {} {poll} {polled}", counted(*filters)));
                    continue;
                }
                Progressing::Scheduled(start) => {
                    let start = start
                        .map_or_else(|| "later".to_owned(), |start| format!("at {}", String::from(start)));
                    note(format_args!("policy/{name} is scheduled: it starts {start}"));
                    continue;
                }
                Progressing::Never { reason, next } => {
                    step.get_or_insert(*next);
                    reason.clone()
                }
                Progressing::Unknown { reason, .. } => {
                    step.get_or_insert("`hfi filters` shows what each filter runs");
                    format!("after {}, it is not known to run: {reason}", humantime::format_duration(time))
                }
                Progressing::Waits { missing, of } => {
                    step.get_or_insert(match of {
                        0 => "`hfi policy describe` shows its target, and `hfi filters` who polls",
                        _ => "`hfi filters` shows them all; `hfi doctor` says what may be wrong with them",
                    });
                    waits(missing, *of, time)
                }
            };
            wrong += 1;
            if wrong <= MAX_TOLD {
                error(format_args!("policy/{name}: {reason}"));
            }
        }
        if let Some(more) = wrong.checked_sub(MAX_TOLD).filter(|more| *more > 0) {
            error(format_args!("and {more} more policies"));
        }
        if wrong > 0 {
            for MissingReplica { name, error: reason } in &missing {
                error(format_args!("the replica {name} does not answer: {reason}"));
            }
        }
        step.into_iter().for_each(next);
        ExitCode::from(if wrong == 0 { DONE } else { NOT_RIGHT })
    }
}

fn counted(filters: usize) -> String {
    if filters == 1 { "1 filter".to_owned() } else { format!("{filters} filters") }
}

fn waits(missing: &[String], of: usize, time: Duration) -> String {
    let time = humantime::format_duration(time);
    if of == 0 {
        return format!("no filter polls for it after {time}");
    }
    let told = missing.iter().take(MAX_TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = missing.len().checked_sub(MAX_TOLD).filter(|more| *more > 0);
    let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
    format!("after {time}, {} of {} do not run it: {told}{more}", missing.len(), counted(of))
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use policies::Timestamp;
    use serde_json::json;

    use super::{
        Duration, ExitCode, Filters, Hold, MissingReplica, NOT_RIGHT, PolicyStatus, Progressing, Seen,
        progressing, waits,
    };

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn policy(state: &str) -> PolicyStatus {
        let policy = json!({
            "endsAt": null, "name": "n".repeat(63), "noProxy": null, "startsAt": null, "state": state,
            "fault_types": ["abort"], "rules_count": 1,
            "targets": {"selector": {"service": "cart", "namespace": "*"}, "direction": "inbound", "destination": null},
        });
        serde_json::from_value(policy).unwrap()
    }

    /// Filters of `cart`: their node, their state, and the seconds since they polled.
    fn filters(filters: &[(&str, &str, u64)]) -> Filters {
        let filter = |(node, state, seconds): &(&str, &str, u64)| {
            let at = Timestamp::from_millis(1_000_000_000_000 - seconds * 1_000).to_rfc3339();
            json!({"digest": null, "lastContact": at, "namespace": "shop", "newest": *state == "in_step",
                   "node": node, "plugins": null, "service": "cart", "state": state})
        };
        let filters: Vec<_> = filters.iter().map(filter).collect();
        serde_json::from_value(json!({"filters": filters, "listeningSeconds": 40})).unwrap()
    }

    #[test]
    fn every_filter_that_was_heard_of_lately_must_run_it() {
        let active = |known: &[_]| progressing(&policy("active"), Hold::None, &filters(known), NOW);
        assert_eq!(active(&[]), Progressing::Waits { missing: vec![], of: 0 });
        assert_eq!(active(&[("a", "in_step", 1)]), Progressing::Done { filters: 1, what: "runs in" });
        let missing = |missing: &[&str], of| Progressing::Waits {
            missing: missing.iter().map(|node| (*node).to_owned()).collect(),
            of,
        };
        assert_eq!(active(&[("a", "in_step", 1), ("b", "lagging", 1)]), missing(&["b"], 2));
        assert_eq!(active(&[("a", "in_step", 1), ("b", "gone", 119)]), missing(&["b"], 2));
        assert!(!active(&[("a", "in_step", 1), ("b", "gone", 121)]).is_waiting(), "it is heard of no more");
        assert!(active(&[("b", "gone", 121)]).is_waiting(), "nobody runs it");
        let forgetful = Filters { complete: false, ..filters(&[("a", "in_step", 1)]) };
        assert!(progressing(&policy("active"), Hold::None, &forgetful, NOW).is_waiting());
        let lacking = Filters {
            missing: vec![MissingReplica { error: "refused".to_owned(), name: "hfi-2".to_owned() }],
            ..filters(&[("a", "in_step", 1)])
        };
        for state in ["active", "suspended"] {
            let told = progressing(&policy(state), Hold::None, &lacking, NOW);
            assert!(told.is_waiting(), "another replica may know more: {state}");
            let held = Filters { held: true, ..filters(&[("a", "in_step", 1)]) };
            assert!(
                progressing(&policy(state), Hold::None, &held, NOW).is_waiting(),
                "the status is of a replica that is not held: {state}"
            );
            let begun = Filters { listening_seconds: 39, ..filters(&[("a", "in_step", 1)]) };
            assert!(
                progressing(&policy(state), Hold::None, &begun, NOW).is_waiting(),
                "more may poll: {state}"
            );
        }
    }

    #[test]
    fn a_server_that_does_not_say_for_how_long_it_listens_ends_no_wait() {
        let mut silent = serde_json::to_value(filters(&[("a", "in_step", 1)])).unwrap();
        silent.as_object_mut().unwrap().remove("listeningSeconds").unwrap();
        let silent = serde_json::from_value(silent).unwrap();
        assert!(progressing(&policy("active"), Hold::None, &silent, NOW).is_waiting());
    }

    #[test]
    fn without_an_answer_nothing_is_done() {
        let seen = Seen::nothing_of(&["a", "b"]);
        assert!(seen.policies.len() == 2 && seen.policies.iter().all(|(_, policy)| policy.is_waiting()));
        let code = seen.tell(Duration::from_secs(2));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(NOT_RIGHT)));
    }

    #[test]
    fn a_hold_and_an_end_are_told_at_once() {
        let known = filters(&[("a", "in_step", 1)]);
        for (hold, state, reason) in [
            (Hold::Halted, "active", "everything is halted"),
            (Hold::Halted, "scheduled", "everything is halted"),
            (Hold::Withdrawn, "active", "a signer lost permission"),
            (Hold::None, "expired", "it has ended"),
            (Hold::None, "halted", "its directory is halted"),
            (Hold::None, "inactive", "its namespace is not in the cluster"),
            (Hold::None, "to come", "its state is of a newer release"),
        ] {
            let told = progressing(&policy(state), hold, &known, NOW);
            assert!(
                matches!(&told, Progressing::Never { reason: why, .. } if why.contains(reason)),
                "{told:?}"
            );
        }
        let suspended = progressing(&policy("suspended"), Hold::None, &filters(&[]), NOW);
        assert_eq!(suspended, Progressing::Done { filters: 0, what: "is suspended at" });
        let scheduled = progressing(&policy("scheduled"), Hold::None, &filters(&[]), NOW);
        assert_eq!(scheduled, Progressing::Scheduled(None));
    }

    #[test]
    fn a_thousand_filters_are_told_in_a_line() {
        let missing: Vec<_> = (0..1_000).map(|at| format!("node-{at}")).collect();
        let told = waits(&missing, 1_001, Duration::from_mins(1));
        assert!(told.starts_with("after 1m, 1000 of 1001 filters do not run it: node-0, "), "{told}");
        assert!(told.ends_with("node-9 and 990 more"), "{told}");
        let policies = vec![("a".to_owned(), Progressing::Waits { missing, of: 1_001 })];
        let seen = Seen { policies, ..Seen::default() };
        assert_eq!(seen.filters(), (1, 1_001));
    }
}
