//! The lines of an explanation.

use policies::{
    Decision, Program, Snapshot,
    evaluation::{AlwaysHit, StaticRequest},
    language::{Mode, Reply},
};
use serde::Serialize;

use super::known::Known;

/// A line of the answer: a rule, or a policy without any rule that was checked.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) policy: String,
    pub(super) rule: Option<usize>,
    pub(super) decides: bool,
    pub(super) reason: String,
}

/// The decision about a request, and each rule with the reason why it decides or does not.
pub(super) fn explain(
    known: Known,
    program: &Program,
    request: &StaticRequest,
) -> (Option<Decision>, Vec<Line>) {
    let decision = program.decide(request, &mut AlwaysHit);
    let mut decided = false;
    let mut lines = Vec::new();
    for verdict in program.explain(request) {
        let applies = verdict.mismatch.is_none();
        let reason = match verdict.mismatch {
            Some(mismatch) => mismatch.to_string(),
            None if decided => "matches too, but comes later".to_owned(),
            None => fault(&known.snapshot, verdict.policy, verdict.rule, decision.as_ref()),
        };
        lines.push(Line {
            policy: verdict.policy.to_owned(),
            rule: Some(verdict.rule),
            decides: applies && !decided,
            reason,
        });
        decided |= applies;
    }
    for (policy, reason) in known.others {
        if !lines.iter().any(|line| line.policy == policy) {
            lines.push(Line { policy, rule: None, decides: false, reason });
        }
    }
    (decision, lines)
}

pub(super) fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.policy.len()).max().unwrap_or(0).max("policy".len());
    let mut table = format!("{:<8}  {:<width$}  {:<4}  why\n", "", "policy", "rule");
    for Line { policy, rule, decides, reason } in lines {
        let mark = if *decides { "decides" } else { "" };
        let rule = rule.map_or("-".to_owned(), |rule| rule.to_string());
        table += &format!("{mark:<8}  {policy:<width$}  {rule:<4}  {reason}\n");
    }
    if !lines.iter().any(|line| line.decides) {
        table += "\nNo rule applies: the request passes untouched.\n";
    }
    table
}

/// The fault of the rule that decides.
fn fault(snapshot: &Snapshot, name: &str, rule: usize, decision: Option<&Decision>) -> String {
    let entry = snapshot.policies.iter().find(|entry| entry.policy.name.as_str() == name);
    let Some((policy, rule)) = entry.and_then(|entry| Some((&entry.policy, entry.policy.rules.get(rule)?)))
    else {
        return String::new();
    };
    let mut does = vec![match &rule.fault.sticky_by {
        Some(header) => format!("{} % by {header}", rule.fault.percentage),
        None => format!("{} %", rule.fault.percentage),
    }];
    if rule.fault.start_delay_ms > 0 {
        does.push(format!("wait {} ms", rule.fault.start_delay_ms));
    }
    does.extend(rule.fault.delay.map(|delay| match delay.min_ms == delay.max_ms {
        true => format!("delay {} ms", delay.min_ms),
        false => format!("delay {} to {} ms", delay.min_ms, delay.max_ms),
    }));
    does.extend(rule.fault.abort.as_ref().map(|abort| match &abort.reply {
        Reply::Http { status, .. } => format!("abort with {status}"),
        Reply::Grpc { status, .. } => format!("abort with {status}"),
    }));
    if policy.mode == Mode::Shadow {
        does.push("shadow: counted, not injected".to_owned());
    } else if decision.is_none() && rule.fault.percentage.parts_per_million() > 0 {
        does.push("but not this request: a probe of the kubelet, or its value is not chosen".to_owned());
    }
    does.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Line, table};
    use crate::cli::snapshots::is_as_in;

    fn line(policy: &str, rule: Option<usize>, decides: bool, reason: &str) -> Line {
        Line { policy: policy.to_owned(), rule, decides, reason: reason.to_owned() }
    }

    #[test]
    fn an_explanation_is_as_it_was() {
        let (long, other) = ("n".repeat(63), "path does not match `/api/`");
        let lines = [
            line(&long, Some(0), false, other),
            line("checkout-errors", Some(1), true, "50 % by x-user-id, abort with 503"),
            line("checkout-errors", Some(12), false, "matches too, but comes later"),
            line("off", None, false, "suspended"),
        ];
        let untouched = [line("a", Some(0), false, other)];
        is_as_in("explain.txt", &format!("{}\n{}\n{}", table(&lines), table(&untouched), table(&[])));
    }

    #[test]
    fn a_thousand_rules_are_a_thousand_lines_in_the_same_columns() {
        let lines: Vec<_> = (0..1_000).map(|rule| line("a", Some(rule), rule == 7, "why")).collect();
        let table = table(&lines);
        let starts: Vec<_> = table.lines().map(|line| line.find("why")).collect();
        assert_eq!((starts.len(), starts.iter().min()), (1_001, starts.iter().max()));
    }
}
