//! Warnings: what is valid and surely not meant.

mod together;
mod unmatchable;

use std::sync::Arc;

use super::{
    catalog::{Catalog, LocatedPolicy},
    halts::LocatedHalt,
    misdated,
};
use crate::{
    language::{Abort, Condition, Fault, Match, Policy, Reply, Rule, Timestamp},
    reading::{Finding, Problem},
};

/// The names that hfi uses itself, as paths of its routes and files. No policy of such a name can be changed over HTTP.
pub const RESERVED: [&str; 3] = ["hfi-halt", "status", "create"];

/// Beyond so many rules, only those of the same policy are held against each other: to compare all
/// of them grows with the square of their number.
const MAX_COMPARED: usize = 3_000;

/// A rule, and where it is.
#[derive(Clone, Copy)]
struct At<'c> {
    located: &'c LocatedPolicy,
    position: usize,
    rule: &'c Rule,
}

/// Everything in a catalog that is worth a warning at `now`, by file and place.
pub fn warnings(catalog: &Catalog, now: Timestamp) -> Vec<Problem> {
    let mut warnings = misdated::warnings(catalog, now);
    warnings.extend(catalog.halts().iter().map(LocatedHalt::warning));
    for located in catalog.policies() {
        let name = located.entry.policy.name.as_str();
        if RESERVED.contains(&name) {
            let message = format!(
                "`{name}` is a name of hfi itself, so this policy can be changed in Git only, and not over HTTP; choose another"
            );
            warnings.push(problem(located, "metadata.name".to_owned(), message));
        }
        let selectors = unmatchable::selectors(&located.entry.policy).into_iter();
        warnings.extend(selectors.map(|(field, why)| problem(located, field, why)));
        if let Some(end) = located.entry.policy.expires_at.filter(|end| *end <= now) {
            let message = format!("is over since {}; delete the policy", end.to_rfc3339());
            warnings.push(problem(located, "spec.expiresAt".to_owned(), message));
        }
        if let (Some(start), Some(end)) = (located.entry.policy.starts_at, located.entry.last_end())
            && end <= start
        {
            let message = "is never in force: `duration_seconds` counts from the commit and is over before then; use `expiresAt`";
            warnings.push(problem(located, "spec.startsAt".to_owned(), message.to_owned()));
        }
    }
    let rules: Vec<_> = catalog.policies().iter().flat_map(rules).collect();
    for at in &rules {
        if at.rule.fault.percentage.parts_per_million() == 0 {
            warnings.push(at.warning(".fault.percentage", "faults nothing, and rules behind it see nothing of what it matches; use `suspend: true` to switch the policy off"));
        }
        at.simpler_matchers(&mut warnings);
        at.unmatchable(&mut warnings);
    }
    for (i, later) in rules.iter().enumerate() {
        let earlier = rules.iter().take(i).rev().take(MAX_COMPARED);
        let near = |other: &&At<'_>| {
            rules.len() <= MAX_COMPARED
                || Arc::ptr_eq(&other.located.entry.policy, &later.located.entry.policy)
        };
        if let Some(other) = earlier.filter(near).find(|other| other.shadows(later)) {
            let (name, position) = (&other.located.entry.policy.name, other.position);
            warnings.push(later.warning(
                "",
                format!(
                    "never decides: rule {position} of `{name}` matches all that it matches, and comes first"
                ),
            ));
        }
    }
    warnings.sort();
    warnings
}

fn rules(located: &LocatedPolicy) -> impl Iterator<Item = At<'_>> {
    located.entry.policy.rules.iter().enumerate().map(move |(position, rule)| At { located, position, rule })
}

fn problem(located: &LocatedPolicy, field: String, message: String) -> Problem {
    let place = located.parsed.place_of(&field);
    Problem { file: Arc::clone(&located.file), finding: Finding { place, field, message } }
}

impl At<'_> {
    fn warning(&self, field: &str, message: impl Into<String>) -> Problem {
        problem(self.located, format!("spec.rules[{}]{field}", self.position), message.into())
    }

    /// A regex that says no more than `exact` or `prefix` would.
    fn simpler_matchers(&self, warnings: &mut Vec<Problem>) {
        let Match { conditions, source: _ } = &self.rule.matches;
        for Condition { subject, matcher } in conditions {
            if let Some(pattern) = matcher.pattern()
                && let Some((simpler, text)) = pattern.simpler()
            {
                let written = pattern.written();
                warnings.push(self.warning(
                    &format!(".match.{}", subject.kind().key),
                    format!("regex `{written}` says no more than `{simpler}: {text}`, which costs less"),
                ));
            }
        }
    }

    /// The conditions that no request meets, alone or together.
    fn unmatchable(&self, warnings: &mut Vec<Problem>) {
        let matches = &self.rule.matches;
        let Match { conditions, source } = matches;
        let is_grpc = aborts_grpc(self.rule);
        let not_of_grpc = conditions.iter().filter(|_| is_grpc).filter_map(together::not_of_grpc);
        let found = conditions.iter().filter_map(unmatchable::condition);
        let found = found.chain(source.as_ref().and_then(unmatchable::source));
        let found = found.chain(together::contradiction(matches)).chain(not_of_grpc);
        let found = found.chain(together::caller(&self.located.entry.policy.flow, matches));
        warnings.extend(found.map(|(field, why)| self.warning(&field, why)));
    }

    /// True if this rule, which comes first, decides whenever the later one would.
    fn shadows(&self, later: &Self) -> bool {
        let (ours, theirs) = (&self.located.entry, &later.located.entry);
        // Each field is named, so that none that a later rule may differ in is forgotten.
        let Policy {
            name: _,
            selector,
            flow,
            // What is decided and not injected is decided all the same.
            mode: _,
            // The rules come in the order in which they decide.
            priority: _,
            suspend,
            starts_at,
            // In `end_of`, with `duration_seconds`.
            expires_at: _,
            restarted_at: _,
            rules: _,
        } = &*ours.policy;
        let Rule { matches, fault } = self.rule;
        // First, since it is false for almost all of them.
        if !matches.includes(&later.rule.matches) {
            return false;
        }
        let Fault { duration_seconds, percentage: _, sticky_by: _, start_delay_ms: _, delay: _, abort: _ } =
            fault;
        let other = &theirs.policy;
        let outlasts = match (ours.end_of(fault), theirs.end_of(&later.rule.fault)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(end), Some(other)) => end >= other,
        };
        // Durations of different policies begin at different times, which only the history knows.
        let same_start = *duration_seconds == 0 || Arc::ptr_eq(&ours.policy, other);
        !suspend
            && !other.suspend
            && outlasts
            && same_start
            && starts_at.is_none_or(|start| other.starts_at.is_some_and(|other| start <= other))
            && (Arc::ptr_eq(&ours.policy, other)
                || selector.includes(&other.selector) && flow.includes(&other.flow))
            && (!aborts_grpc(self.rule) || aborts_grpc(later.rule))
    }
}

fn aborts_grpc(rule: &Rule) -> bool {
    matches!(rule.fault.abort, Some(Abort { reply: Reply::Grpc { .. }, .. }))
}
