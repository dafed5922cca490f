//! Warnings: durations that were dated by a clock that is wrong.

use std::sync::Arc;

use super::{
    catalog::{Catalog, LocatedPolicy},
    start::{Start, believed_from},
};
use crate::{
    language::Timestamp,
    reading::{Finding, Problem},
};

/// A warning for every policy whose durations do not count from the date of its own commit or file, or not yet.
pub fn warnings(catalog: &Catalog, now: Timestamp) -> Vec<Problem> {
    catalog.policies().iter().filter_map(|located| warning(located, now)).collect()
}

fn warning(located: &LocatedPolicy, now: Timestamp) -> Option<Problem> {
    let Start { at, dated } = located.start?;
    let message = if believed_from(at) > now {
        format!(
            "is out of force: it counts from {}, which is in the future; the clock that dated the commit or the file is ahead; commit it again with the right time",
            at.to_rfc3339()
        )
    } else if believed_from(dated) > at.min(now) {
        format!(
            "counts from {}, the time of a later commit, although its own is dated {}: one of the two clocks is wrong",
            at.to_rfc3339(),
            dated.to_rfc3339()
        )
    } else {
        return None;
    };
    let rule = located.entry.policy.rules.iter().position(|rule| rule.fault.duration_seconds > 0)?;
    let field = format!("spec.rules[{rule}].fault.duration_seconds");
    let place = located.parsed.place_of(&field);
    Some(Problem { file: Arc::clone(&located.file), finding: Finding { place, field, message } })
}
