//! Traces.

use crate::rules::subject::{Out, Rule, Subject};

pub(super) const RULES: &[Rule] =
    &[Rule::new("TM02", tm02), Rule::new("TM03", tm03), Rule::new("TM04", tm04)];

fn tm02(subject: &Subject, out: &mut Out) {
    if let Some(second) = subject.each("tracing").nth(1) {
        out.warning(&second, "is ignored: one entry counts", "write one entry");
    }
    for entry in subject.each("tracing") {
        if let Some(second) = entry.get("providers").items().nth(1) {
            out.warning(&second, "is ignored: one provider counts", "name one provider");
        }
    }
}

fn tm03(subject: &Subject, out: &mut Out) {
    for entry in subject.each("tracing") {
        let at = entry.get("randomSamplingPercentage");
        if let Some(percent) = at.number().filter(|percent| !(0.0..=100.0).contains(percent)) {
            out.error(&at, format!("is {percent}"), "a percentage is from 0 to 100");
        }
    }
}

fn tm04(subject: &Subject, out: &mut Out) {
    const SOURCES: [(&str, &str); 4] =
        [("literal", "value"), ("header", "name"), ("environment", "name"), ("formatter", "value")];
    for (name, tag) in subject.each("tracing").flat_map(|entry| entry.get("customTags").entries()) {
        if name.is_empty() {
            out.error(&tag, "has no name", "write one");
        }
        if tag.is_empty() {
            out.error(&tag, "has no value", "write `literal`, `header` or `environment`");
        }
        for (source, field) in SOURCES.iter().filter(|(source, _)| tag.has(source)) {
            let at = tag.get(source).get(field);
            if at.is_empty() {
                out.error(&at, "is empty", format!("write the {field} of the {source}"));
            }
        }
    }
}
