//! Which of the rules that hold requests are in force in another snapshot.

use std::collections::HashMap;

use super::{rule::Rule, rule_id::RuleId};
use crate::{language::Timestamp, wire::Snapshot};

/// The rules that hold requests at that time, each with its end, of those policies of a snapshot that
/// `concerns` names.
pub fn rules_in_force(
    snapshot: &Snapshot,
    now: Timestamp,
    concerns: impl Fn(&str) -> bool,
) -> HashMap<RuleId, Option<Timestamp>> {
    let mut ends = HashMap::new();
    let policies = snapshot.policies.iter().enumerate();
    for (position, entry) in policies.filter(|(_, entry)| concerns(entry.policy.name.as_str())) {
        for rule in Rule::compile(entry, position).filter(|rule| rule.holds() && rule.is_in_force(now)) {
            // Rules that differ only in their times are one rule, with the last of their ends.
            let known = ends.entry(rule.id()).or_insert(rule.ends_at());
            *known = known.zip(rule.ends_at()).map(|(one, other)| one.max(other));
        }
    }
    ends
}
