//! Rules of a Telemetry.

mod cel;
mod expressions;
mod tracing;

use super::subject::{Out, Rule, Subject};
use crate::field::Field;

pub(super) const TABLES: [&[Rule]; 3] = [RULES, tracing::RULES, expressions::RULES];

const RULES: &[Rule] =
    &[Rule::new("TM01", tm01), Rule::new("TM05", tm05), Rule::new("TM06", tm06), Rule::new("X157", x157)];

fn tm01(subject: &Subject, out: &mut Out) {
    for entry in ["tracing", "metrics", "accessLogging"].into_iter().flat_map(|name| subject.each(name)) {
        for provider in entry.get("providers").items().filter(|provider| provider.word("name").is_empty()) {
            out.error(&provider.get("name"), "is missing", "name an extension provider of the mesh");
        }
    }
}

fn overrides<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("metrics").flat_map(|metrics| metrics.get("overrides").items())
}

fn tm05(subject: &Subject, out: &mut Out) {
    for (_, tag) in overrides(subject).flat_map(|change| change.get("tagOverrides").entries()) {
        let (value, removes) = (tag.get("value"), tag.word("operation") == "REMOVE");
        if removes && value.is_set() {
            out.error(&value, "stands beside REMOVE", "leave it out");
        } else if !removes && value.is_empty() {
            out.error(&value, "is missing", "write an expression, or `operation: REMOVE`");
        }
    }
}

fn tm06(subject: &Subject, out: &mut Out) {
    for change in overrides(subject) {
        let at = change.get("match").get("customMetric");
        if at.text() == Some("") {
            out.error(&at, "is empty", "name the metric, or write `metric`");
        }
    }
}

fn x157(subject: &Subject, out: &mut Out) {
    for entry in subject.each("accessLogging") {
        if entry.get("providers").is_empty() && !entry.flag("disabled") {
            let reason = "is missing, so the entry is ignored unless the mesh has a default";
            out.warning(&entry.get("providers"), reason, "write `providers: [{name: envoy}]`");
        }
    }
}
