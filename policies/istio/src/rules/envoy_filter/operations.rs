//! Operations, and what they work on.

use super::{operation, patches};
use crate::rules::subject::{Out, Rule, Subject};

pub(super) const RULES: &[Rule] =
    &[Rule::new("EF02", ef02), Rule::new("X151", x151), Rule::new("X152", x152), Rule::new("X153", x153)];

fn ef02(subject: &Subject, out: &mut Out) {
    for patch in patches(subject) {
        if !matches!(operation(&patch), "" | "INVALID" | "REMOVE") && !patch.get("patch").has("value") {
            let reason = format!("is missing, and {} needs it", operation(&patch));
            out.error(&patch.get("patch").get("value"), reason, "write the object of Envoy");
        }
    }
}

fn x151(subject: &Subject, out: &mut Out) {
    let relative = |name: &str| matches!(name, "INSERT_BEFORE" | "INSERT_AFTER" | "REMOVE" | "REPLACE");
    let priority = subject.get("priority");
    if priority.integer().unwrap_or_default() != 0 {
        return;
    }
    if let Some(patch) = patches(subject).find(|patch| relative(operation(patch))) {
        let reason = format!("is missing, and {} depends on the order of filters", operation(&patch));
        out.warning(&priority, reason, "write a number; greater ones come later");
    }
}

fn x152(subject: &Subject, out: &mut Out) {
    for patch in patches(subject).filter(|patch| operation(patch) == "REPLACE") {
        let on = patch.word("applyTo");
        if !matches!(on, "HTTP_FILTER" | "NETWORK_FILTER" | "VIRTUAL_HOST") {
            out.error(
                &patch.get("patch").get("operation"),
                format!("is REPLACE, which is ignored on {on}"),
                "write MERGE",
            );
        }
    }
}

fn x153(subject: &Subject, out: &mut Out) {
    for patch in patches(subject).filter(|patch| matches!(operation(patch), "ADD" | "REMOVE")) {
        let on = patch.word("applyTo");
        if matches!(on, "ROUTE_CONFIGURATION" | "HTTP_ROUTE") {
            let reason = format!("is {}, which is ignored on {on}", operation(&patch));
            out.error(&patch.get("patch").get("operation"), reason, "write MERGE");
        }
    }
}
