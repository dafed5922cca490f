//! `hfi policy describe`.

use std::process::ExitCode;

use clap::Args;
use policies::Timestamp;
use serde_json::Value;

use super::{
    get::document,
    list::read,
    names::policy_name,
    reached::is_for,
    row::{Hold, tell},
};
use crate::{
    api::{
        filters::{FilterCounts, Filters},
        first_generation::FaultType,
        measured::Measured,
        policy_status::{Direction, PolicyStatus, Selector},
        status::Status,
        time::Time,
        writes::{History, HistoryCommit},
    },
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::{DONE, NOT_RIGHT, error, next, print_styled, warning},
        figures::{rate, recent_share, share},
        moment::{relative, short_revision},
        output::Output,
        server::{ServerArgs, failed},
        terminal::Terminal,
    },
    client::{Client, Failure},
    clock::now,
    printable::{printable, printable_lines},
};

/// Show everything about a policy: its state, its target, the filters that run it, its end, its last commits and its
/// warnings
#[derive(Debug, Args)]
pub(super) struct Describe {
    /// The names of policies
    #[arg(required = true, value_parser = policy_name, add = ArgValueCandidates::new(policy_names))]
    names: Vec<String>,

    #[command(flatten)]
    server: ServerArgs,
}

/// The most commits of a policy that are shown.
const COMMITS: usize = 3;

/// Everything that is known of one policy.
struct Known<'a> {
    policy: &'a PolicyStatus,
    hold: Hold,
    filters: &'a Filters,
    document: &'a Value,
    commits: &'a [HistoryCommit],
    now: Timestamp,
}

impl Describe {
    pub(super) async fn run(self) -> ExitCode {
        match self.server.client().await {
            Ok(client) => describe(&client, &self.names).await.unwrap_or_else(|failure| failed(&failure)),
            Err(code) => code,
        }
    }
}

async fn describe(client: &Client, names: &[String]) -> Result<ExitCode, Failure> {
    let status: Status = read(client).await?;
    let filters: Filters = client.get(&["v1", "filters"], &[]).await?;
    tell(&status);
    let (mut texts, mut code) = (Vec::new(), DONE);
    for name in names {
        let Some(policy) = status.policies.iter().find(|policy| &policy.name == name) else {
            error(format_args!("there is no valid policy `{name}`"));
            code = NOT_RIGHT;
            continue;
        };
        let document = &document(client, name).await?;
        let (commits, hold) = (&commits(client, name).await, Hold::of(&status));
        let known = Known { policy, hold, filters: &filters, document, commits, now: now() };
        texts.push(text(&known, Terminal::of_stdout()));
    }
    print_styled(&texts.join("\n"));
    if code != DONE {
        next("`hfi policy list` shows every valid policy, and names the files with errors");
    }
    Ok(ExitCode::from(code))
}

/// The commits that changed a policy, the newest first. A directory has none. What else is known is shown without them.
async fn commits(client: &Client, name: &str) -> Vec<HistoryCommit> {
    match client.get::<History>(&["v1", "policies", name, "history"], &[]).await {
        Ok(history) => history.commits,
        Err(failure) if failure.status() == Some(404) => Vec::new(),
        Err(failure) => {
            warning(format_args!("the commits that changed `{name}` are not known: {failure}"));
            Vec::new()
        }
    }
}

fn text(known: &Known<'_>, terminal: Terminal) -> String {
    let Known { policy, hold, filters, document, commits, now } = known;
    let (state, colour) = hold.state(policy.state);
    let time = |time: Option<Time>| match time {
        Some(Time(time)) => format!("{} ({})", time.to_rfc3339(), relative(time, *now)),
        None => "-".to_owned(),
    };
    let direction = match policy.targets.direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Unknown => "unknown",
    };
    let mut lines = vec![
        ("Name", printable(&policy.name).into_owned()),
        ("State", terminal.paint(state, Some(colour))),
        ("Target", printable(&policy.targets.to_string()).into_owned()),
        ("Direction", direction.to_owned()),
        ("Faults", FaultType::list(&policy.first_generation.fault_types)),
        ("Starts", time(policy.starts_at)),
        ("Ends", time(policy.ends_at)),
        ("File", printable(&format!("{}:{}", policy.file, policy.line)).into_owned()),
        ("Filters", running(&policy.targets.selector, filters)),
        ("Measured", measured(policy.measured.as_ref())),
    ];
    if let Some(no_proxy) = &policy.no_proxy {
        let near = no_proxy.nearest.join(", ");
        let near = if near.is_empty() { String::new() } else { format!("; the nearest that poll: {near}") };
        lines.push(("Problem", printable(&format!("no proxy polls for it{near}")).into_owned()));
    }
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let mut text: String =
        lines.iter().map(|(name, value)| format!("{:<width$} {value}\n", format!("{name}:"))).collect();
    let commit = |HistoryCommit { author, id, subject, time }: &HistoryCommit| {
        format!("{} by {author}: {subject} ({})", relative(time.0, *now), short_revision(id))
    };
    text += &listed("Commits", commits.iter().take(COMMITS).map(commit));
    let warnings = policy.warnings.iter();
    text += &listed(
        "Warnings",
        warnings.map(|warning| {
            format!("{}:{}: {} {}", warning.file, warning.line, warning.field, warning.message)
        }),
    );
    text += "Spec:\n";
    let spec = document.get("spec").unwrap_or(&Value::Null);
    let spec = printable_lines(&Output::Yaml.render(spec, String::new));
    text + &spec.lines().map(|line| format!("  {line}\n")).collect::<String>()
}

/// What filters report of a policy.
fn measured(measured: Option<&Measured>) -> String {
    let Some(told) = measured else { return "nothing reported yet".to_owned() };
    let Measured { aborts, delays, shadow, overflow, filters, .. } = told;
    let counts = [(aborts, "aborts"), (delays, "delays"), (shadow, "in shadow mode"), (overflow, "left out")];
    let counts = counts.into_iter().filter(|(count, _)| **count > 0);
    let counts: String = counts.map(|(count, what)| format!(", {count} {what}")).collect();
    let share = Some(share(measured)).filter(|share| !share.is_empty());
    let share = share.map_or_else(|| "no request matched".to_owned(), |share| format!("{share} requests"));
    let recent = Some(recent_share(measured)).filter(|share| !share.is_empty());
    let recent = recent.map(|share| format!(", {share} got a fault in the last 60 s")).unwrap_or_default();
    let filters = if *filters == 1 { "1 filter".to_owned() } else { format!("{filters} filters") };
    let since = told.since.0.to_rfc3339();
    format!("{share}{recent}, {} faults/s{counts}; reported by {filters} since {since}", rate(measured))
}

/// Lines below a heading.
fn listed(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("\n  {}", printable(&line))).collect();
    if lines.is_empty() { format!("{heading}: none\n") } else { format!("{heading}:{lines}\n") }
}

/// The states of the filters whose workload the policy selects.
fn running(selector: &Selector, filters: &Filters) -> String {
    let Some(selector) = selector.parsed() else { return "unknown".to_owned() };
    let states = filters.filters.iter().filter(|filter| is_for(&selector, filter)).map(|filter| filter.state);
    let states: FilterCounts = states.collect();
    let more = match (filters.complete, filters.missing.is_empty()) {
        (true, _) => "",
        (false, true) => ", and others that the server does not remember",
        (false, false) => ", and perhaps others, as a replica does not answer",
    };
    format!("{}{more}", states.in_words())
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;
    use serde_json::{Value, json};

    use super::{Hold, Known, text};
    use crate::cli::snapshots::{PIPE, text_is_as_in};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_090_000);

    fn policy(name: &str, warnings: usize) -> Value {
        let warning =
            json!({"file": "shop/a.yaml", "line": 7, "column": 3, "field": "spec", "message": "has no end"});
        json!({
            "endsAt": "2001-09-09T02:46:40Z", "file": "shop/a\u{1b}[2J.yaml", "line": 3, "name": name,
            "noProxy": {"nearest": ["check-out.shop"]}, "startsAt": null, "state": "active",
            "fault_types": ["abort", "delay"], "rules_count": 2, "warnings": vec![warning; warnings],
            "targets": {
                "selector": {"service": "checkout", "namespace": "shop"}, "direction": "outbound",
                "destination": {"host": "api.partner.example", "namespace": "*"},
            },
        })
    }

    fn known<T>(policy: Value, commits: usize, read: impl FnOnce(&Known<'_>) -> T) -> T {
        let filter = |node: &str, state: &str| {
            json!({
                "digest": null, "lastContact": "2001-09-09T01:46:40Z", "namespace": "shop", "newest": false,
                "node": node, "plugins": null, "service": "checkout", "state": state,
            })
        };
        let filters = json!({
            "filters": [filter("a", "in_step"), filter("b", "lagging")], "replicas": "1 of 2", "since": null,
            "complete": false, "missing": [],
        });
        let commit = json!({
            "author": "alice", "id": "4f1d".repeat(10), "subject": "s".repeat(90), "time": "2001-09-09T01:46:40Z",
        });
        let commits: Vec<_> =
            vec![commit; commits].into_iter().map(|commit| serde_json::from_value(commit).unwrap()).collect();
        read(&Known {
            policy: &serde_json::from_value(policy).unwrap(),
            hold: Hold::None,
            filters: &serde_json::from_value(filters).unwrap(),
            document: &json!({"spec": {"rules": [{"fault": {"percentage": 5, "delay_ms": 1}}]}}),
            commits: &commits,
            now: NOW,
        })
    }

    #[test]
    fn a_description_is_as_it_was_at_every_terminal() {
        known(policy(&"n".repeat(63), 1), 4, |known| {
            text_is_as_in("policy-describe.txt", |terminal| text(known, terminal));
        });
        known(policy("a", 0), 0, |known| {
            text_is_as_in("policy-describe-short.txt", |terminal| text(known, terminal));
        });
    }

    #[test]
    fn a_thousand_warnings_are_a_thousand_lines() {
        let text = known(policy("a", 1_000), 0, |known| text(known, PIPE));
        assert_eq!(text.lines().filter(|line| line.contains("has no end")).count(), 1_000);
    }
}
