//! Renders a document again, with one field changed.

use std::collections::BTreeMap;

use policies::reading::{MapEntry, Node, Place, Value as Yaml};
use serde_json::Value;

use super::{
    fields::Field,
    leaves::{changed, leaves},
};
use crate::{
    rendering::{Rendered, Setting, render},
    resource::Kind,
    written::{self, Document},
};

/// The way in which a written field changes a rendered one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Another value gives another value.
    ByValue,
    /// Without it, the rendered field is another one.
    ByPresence,
}

/// The identity of a resource whose name may change: its entry, its kind, and its number among those.
type Key = (Place, Kind, usize);

/// A document, and what it renders to.
#[derive(Debug)]
pub(super) struct Probe<'s> {
    document: Node,
    setting: &'s Setting,
    rendered: Vec<(Key, BTreeMap<String, Value>)>,
}

impl<'s> Probe<'s> {
    pub(super) fn new(document: Node, rendered: &[Rendered], setting: &'s Setting) -> Self {
        Self { document, setting, rendered: keyed(rendered) }
    }

    /// The rendered fields that a change of a written one changes, each with the number of its resource.
    pub(super) fn change(&mut self, field: &Field) -> Option<(How, Vec<(usize, String)>)> {
        let original = at(&mut self.document, &field.steps)?.value.clone();
        let mut candidates = other_values(&original);
        let mut found = None;
        let mut tried = 0;
        while let Some(candidate) = candidates.get(tried).cloned() {
            tried += 1;
            at(&mut self.document, &field.steps)?.value = candidate;
            match self.again() {
                Ok(changed) if !changed.is_empty() => {
                    found = Some((How::ByValue, changed));
                    break;
                }
                Ok(_) => {}
                // The reader says which words it takes.
                Err(words) if tried == 1 => candidates.extend(words.into_iter().map(Yaml::String)),
                Err(_) => {}
            }
        }
        at(&mut self.document, &field.steps)?.value = original;
        found.or_else(|| self.without(field))
    }

    /// The same without the field.
    fn without(&mut self, field: &Field) -> Option<(How, Vec<(usize, String)>)> {
        let (last, steps) = field.steps.split_last().filter(|_| field.is_in_map)?;
        let entries = entries(at(&mut self.document, steps)?)?;
        if *last >= entries.len() {
            return None;
        }
        let removed = entries.remove(*last);
        let changed = self.again().unwrap_or_default();
        self::entries(at(&mut self.document, steps)?)?.insert(*last, removed);
        (!changed.is_empty()).then_some((How::ByPresence, changed))
    }

    /// The rendered fields that are not as they were; or, if the document is not valid, the words that are quoted in
    /// the reasons.
    fn again(&self) -> Result<Vec<(usize, String)>, Vec<String>> {
        let reading = written::read(&self.document);
        let Some(Document::Application(application)) = reading.document else {
            let quoted = |reason: &str| -> Vec<String> {
                reason.split('`').skip(1).step_by(2).map(str::to_owned).collect()
            };
            return Err(reading.findings.iter().flat_map(|finding| quoted(&finding.reason)).collect());
        };
        let now: BTreeMap<_, _> = keyed(&render(&application, self.setting).0).into_iter().collect();
        let nothing = BTreeMap::new();
        let changed = self.rendered.iter().enumerate().flat_map(|(number, (key, before))| {
            let after = now.get(key).unwrap_or(&nothing);
            changed(before, after).into_iter().map(move |path| (number, path))
        });
        Ok(changed.collect())
    }
}

fn keyed(rendered: &[Rendered]) -> Vec<(Key, BTreeMap<String, Value>)> {
    let mut numbers = BTreeMap::new();
    let key = |Rendered { resource, entry, .. }: &Rendered| {
        let number = numbers.entry((*entry, resource.kind)).or_insert(0);
        *number += 1;
        ((*entry, resource.kind, *number), leaves(resource))
    };
    rendered.iter().map(key).collect()
}

/// The node at the end of a way.
fn at<'n>(node: &'n mut Node, steps: &[usize]) -> Option<&'n mut Node> {
    let Some((first, rest)) = steps.split_first() else { return Some(node) };
    let next = match &mut node.value {
        Yaml::Map(entries) => &mut entries.get_mut(*first)?.value,
        Yaml::List(items) => items.get_mut(*first)?,
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::String(_) => return None,
    };
    at(next, rest)
}

fn entries(node: &mut Node) -> Option<&mut Vec<MapEntry>> {
    match &mut node.value {
        Yaml::Map(entries) => Some(entries),
        _ => None,
    }
}

/// Other values that may be valid in the place of this one.
fn other_values(value: &Yaml) -> Vec<Yaml> {
    match value {
        Yaml::Bool(value) => vec![Yaml::Bool(!value)],
        Yaml::Number(text) => with_another_digit(text).into_iter().map(Yaml::Number).collect(),
        Yaml::String(text) => {
            let longer = [format!("{text}x"), format!("x{text}")];
            longer.into_iter().chain(with_another_digit(text)).map(Yaml::String).collect()
        }
        Yaml::Null | Yaml::List(_) | Yaml::Map(_) => Vec::new(),
    }
}

/// The text with another digit in the place of the first, and of the last one.
fn with_another_digit(text: &str) -> Vec<String> {
    let digits: Vec<_> = text.match_indices(|c: char| c.is_ascii_digit()).map(|(at, _)| at).collect();
    let other = |at: usize, by: u8| {
        let digit = text.as_bytes().get(at)? - b'0';
        let digit = char::from(b'0' + (digit + by) % 10);
        Some(format!("{}{digit}{}", text.get(..at)?, text.get(at + 1..)?))
    };
    let ends = digits.last().into_iter().chain(digits.first());
    ends.flat_map(|at| [other(*at, 1), other(*at, 9)]).flatten().collect()
}
