//! The difference between a whole document and the resources that it was made of.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    document::{Draft, Drafted},
    fitting::{is_same, passed_through, steering},
    note::Note,
    trial::{Outcome, Trial},
};
use crate::resource::Resource;

/// The most differences that are told of an object.
const MAX_TOLD: usize = 5;

/// Takes the attributes out of entries that render something else beside others than alone, and says what still
/// differs.
pub(super) fn settle(draft: &mut Draft<'_>, trial: &Trial) -> Vec<Note> {
    loop {
        let outcomes = match trial.render_text(&draft.text()) {
            Ok(outcomes) => outcomes,
            Err(reason) => return refused(draft, &reason),
        };
        let wrong = wrong(draft, &outcomes);
        let fields = draft.fields();
        let mut is_changed = false;
        for (drafted, field) in draft.entries.iter_mut().zip(fields) {
            let plain = passed_through(drafted.resource);
            if wrong.contains(&field) && drafted.entry != plain {
                drafted.entry = plain;
                is_changed = true;
            }
        }
        if !is_changed {
            let mut notes = outcomes.first().map(|outcome| notes(draft, outcome)).unwrap_or_default();
            notes.extend(refusals(draft, &outcomes));
            return notes;
        }
    }
}

/// The entries that do not render their resource, or render more.
fn wrong(draft: &Draft<'_>, outcomes: &[Outcome]) -> BTreeSet<String> {
    let rendered = outcomes.iter().flat_map(|outcome| &outcome.rendered);
    let is_read = |resource: &Resource| {
        draft.entries.iter().any(|Drafted { resource: read, .. }| is_same(resource, read))
    };
    let wrong = rendered.filter(|rendered| !is_read(&rendered.resource));
    wrong.map(|rendered| rendered.field.clone()).collect()
}

/// A document that hfi does not read at all: which none of its entries alone is.
fn refused(draft: &Draft<'_>, reason: &str) -> Vec<Note> {
    let note = |drafted: &Drafted<'_>| Note::left_out(drafted.resource, reason.to_owned());
    draft.entries.iter().map(note).collect()
}

fn notes(draft: &Draft<'_>, outcome: &Outcome) -> Vec<Note> {
    let mut notes = Vec::new();
    for Drafted { resource, .. } in &draft.entries {
        let is_its = |rendered: &Resource| (rendered.kind, &rendered.name) == (resource.kind, &resource.name);
        let found = outcome.rendered.iter().map(|rendered| &rendered.resource).find(|found| is_its(found));
        let Some(found) = found else {
            notes.push(Note::left_out(resource, "its entry renders no such object".to_owned()));
            continue;
        };
        let mut changes = Vec::new();
        compare("spec", &resource.spec, &found.spec, &mut changes);
        if !changes.is_empty() {
            let is_error = true;
            notes.push(Note { is_error, ..Note::about(resource, format!("differs: {}", told(changes))) });
        }
        let pairs = [
            ("label", &resource.labels, &found.labels),
            ("annotation", &resource.annotations, &found.annotations),
        ];
        let lost = pairs.into_iter().flat_map(|(what, read, rendered)| {
            read.iter().filter_map(move |(key, value)| match rendered.get(key) {
                Some(same) if same == value => None,
                Some(other) => Some(format!("the {what} `{key}` is `{other}` instead of `{value}`")),
                None => Some(format!("the {what} `{key}` is not kept")),
            })
        });
        let lost: Vec<_> = lost.collect();
        if !lost.is_empty() {
            let is_error = steering(found) != steering(resource);
            notes.push(Note { is_error, ..Note::about(resource, told(lost)) });
        }
    }
    notes
}

/// The errors of the document, each once: hfi would render nothing. One of the second data plane alone is a warning.
fn refusals(draft: &Draft<'_>, outcomes: &[Outcome]) -> Vec<Note> {
    let about = draft.entries.first().map(|drafted| drafted.resource.namespace.clone());
    let about = format!("AppConfiguration {}/{}", about.unwrap_or_default(), draft.name());
    let mut told = BTreeSet::new();
    let all = outcomes.iter().flat_map(|outcome| outcome.errors.iter().map(move |found| (outcome, found)));
    all.filter(|(_, found)| told.insert(found.to_string()))
        .map(|(outcome, found)| {
            let is_of_each = outcomes.iter().all(|other| other.errors.contains(found));
            let plane = if is_of_each { String::new() } else { format!(" in {}", outcome.dataplane) };
            let is_error = outcomes.first().is_some_and(|first| first.errors.contains(found));
            Note { about: about.clone(), text: format!("hfi refuses it{plane}: {found}"), is_error }
        })
        .collect()
}

/// Differences in one sentence.
fn told(mut changes: Vec<String>) -> String {
    let more = changes.len().saturating_sub(MAX_TOLD);
    changes.truncate(MAX_TOLD);
    if more > 0 {
        changes.push(format!("{more} more"));
    }
    changes.join("; ")
}

/// Every field that is not the same.
fn compare(path: &str, read: &Value, rendered: &Value, changes: &mut Vec<String>) {
    match (read, rendered) {
        (Value::Object(read), Value::Object(rendered)) => {
            let keys: BTreeSet<_> = read.keys().chain(rendered.keys()).collect();
            for key in keys {
                let field = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(&format!("{path}.{key}"), &field(read), &field(rendered), changes);
            }
        }
        _ if read == rendered => {}
        _ => changes.push(format!("`{path}` is `{rendered}` instead of `{read}`")),
    }
}
