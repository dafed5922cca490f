//! `exportTo`: the namespaces that see a resource.

use std::collections::BTreeSet;

use crate::{
    resource::Kind,
    rules::subject::{Out, Rule, Subject},
    text::istio_label,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("EXP01", exp01),
    Rule::new("EXP02", exp02),
    Rule::new("EXP03", exp03),
    Rule::new("EXP04", exp04),
    Rule::new("EXP05", exp05),
    Rule::new("EXP06", exp06),
];

fn exp01(subject: &Subject, out: &mut Out) {
    let mut seen = BTreeSet::new();
    for (name, at) in subject.get("exportTo").texts() {
        if !seen.insert(name) {
            out.error(&at, format!("names `{name}` again"), "name each namespace once");
        }
    }
}

fn exp02(subject: &Subject, out: &mut Out) {
    let scope = subject.get("exportTo");
    let own = &*subject.resource.namespace;
    if let Some((_, at)) = scope.texts().find(|(name, _)| *name == own)
        && scope.texts().any(|(name, _)| name == ".")
    {
        out.error(&at, format!("is the own namespace beside `.`, which is `{own}` too"), "keep one of them");
    }
}

/// A word that stands alone.
fn alone(subject: &Subject, word: &str, meaning: &str, out: &mut Out) {
    let scope = subject.get("exportTo");
    if let Some((_, at)) = scope.texts().find(|(name, _)| *name == word)
        && scope.texts().any(|(name, _)| name != word)
    {
        out.error(
            &at,
            format!("is `{word}` beside other namespaces"),
            format!("`{word}` is {meaning}, and stands alone"),
        );
    }
}

fn exp03(subject: &Subject, out: &mut Out) {
    alone(subject, "*", "all namespaces", out);
}

fn exp04(subject: &Subject, out: &mut Out) {
    if subject.kind() == Kind::ServiceEntry {
        return;
    }
    if let Some((_, at)) = subject.get("exportTo").texts().find(|(name, _)| *name == "~") {
        out.error(&at, "is `~`, which only a ServiceEntry can have", "write `.` for the own namespace");
    }
}

fn exp05(subject: &Subject, out: &mut Out) {
    if subject.kind() == Kind::ServiceEntry {
        alone(subject, "~", "no namespace", out);
    }
}

fn exp06(subject: &Subject, out: &mut Out) {
    for (name, at) in subject.get("exportTo").texts() {
        if !(matches!(name, "." | "*" | "~") || istio_label(name)) {
            out.error(
                &at,
                format!("`{name}` is not a namespace"),
                "write a namespace, `.` for the own one, or `*` for all",
            );
        }
    }
}
