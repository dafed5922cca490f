//! Load balancing: hashes, localities, warm-up.

mod hashes;
mod localities;

use super::blocks;
use crate::rules::subject::{Out, Rule, Subject};

pub(super) const RULES: &[Rule] = &[
    Rule::new("DR12", hashes::dr12),
    Rule::new("DR13", hashes::dr13),
    Rule::new("DR14", hashes::dr14),
    Rule::new("DR15", localities::dr15),
    Rule::new("DR16", localities::dr16),
    Rule::new("DR17", localities::dr17),
    Rule::new("DR18", localities::dr18),
    Rule::new("DR20", dr20),
];

fn dr20(subject: &Subject, out: &mut Out) {
    for balancer in blocks(subject, "loadBalancer") {
        let warmup = balancer.get("warmup");
        if warmup.is_set() && warmup.word("duration").is_empty() {
            out.error(
                &warmup.get("duration"),
                "is missing",
                "write how long a new endpoint warms up, such as `30s`",
            );
        }
        if warmup.get("minimumPercent").number().is_some_and(|percent| percent > 100.0) {
            out.error(&warmup.get("minimumPercent"), "is above 100", "a percentage is from 0 to 100");
        }
        if warmup.get("aggression").number().is_some_and(|aggression| aggression <= 0.0) {
            out.error(&warmup.get("aggression"), "is not above 0", "write 1 for a linear warm-up");
        }
    }
}
