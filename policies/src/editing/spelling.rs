//! Fields that may be spelled in two ways, `delay_ms` and `delayMs`: an edit keeps the way of the file, and with it the
//! line and its comment.

use super::document::field_mut;
use crate::reading::{Node, Value};

/// The fields of a fault with two spellings.
const FIELDS: [(&str, &str); 6] = [
    ("delay_ms", "delayMs"),
    ("duration_seconds", "durationSeconds"),
    ("fixed_delay_ms", "fixedDelayMs"),
    ("max_ms", "maxMs"),
    ("min_ms", "minMs"),
    ("start_delay_ms", "startDelayMs"),
];

/// The ways in which fields are spelled: for each field, if one way occurs, and the other.
#[derive(Clone, Copy, Default)]
struct Spellings([[bool; 2]; FIELDS.len()]);

/// Spells the fields of a document as another does: each rule as the rule in its place, and what is new there as all of
/// the other document, where that spells a field in one way only.
pub(super) fn spell_as(document: &mut Node, written: &Node) {
    let mut copy = written.clone();
    let mut by_rule: Vec<_> =
        faults(&mut copy).map(|fault| fault.map(Spellings::of).unwrap_or_default()).collect();
    let all = by_rule.iter().fold(Spellings::default(), |all, rule| all.and(rule));
    by_rule.iter_mut().for_each(|rule| *rule = rule.or(&all));
    for (at, fault) in faults(document).enumerate() {
        let spellings = by_rule.get(at).unwrap_or(&all);
        fault.into_iter().for_each(|fault| each_field(fault, &mut |key| spellings.apply(key)));
    }
}

impl Spellings {
    fn of(fault: &mut Node) -> Self {
        let mut found = Self::default();
        each_field(fault, &mut |key| {
            for ((snake, camel), [is_snake, is_camel]) in FIELDS.iter().zip(&mut found.0) {
                *is_snake |= key == snake;
                *is_camel |= key == camel;
            }
        });
        found
    }

    /// Both together.
    fn and(mut self, other: &Self) -> Self {
        for (ways, others) in self.0.iter_mut().zip(&other.0) {
            ways.iter_mut().zip(others).for_each(|(way, other)| *way |= other);
        }
        self
    }

    /// The ways of another for the fields that do not occur here.
    fn or(mut self, other: &Self) -> Self {
        let absent = self.0.iter_mut().zip(&other.0).filter(|(ways, _)| **ways == [false; 2]);
        absent.for_each(|(ways, others)| *ways = *others);
        self
    }

    /// Spells a field in the way that occurs, if one does.
    fn apply(&self, key: &mut String) {
        for ((snake, camel), found) in FIELDS.iter().zip(&self.0) {
            let spelling = match found {
                [true, false] => snake,
                [false, true] => camel,
                _ => continue,
            };
            if key == snake || key == camel {
                *key = (*spelling).to_owned();
            }
        }
    }
}

/// The fault of each rule of a document.
fn faults(document: &mut Node) -> impl Iterator<Item = Option<&mut Node>> {
    let rules = field_mut(document, "spec").and_then(|spec| field_mut(spec, "rules"));
    let rules = rules.and_then(|rules| match &mut rules.value {
        Value::List(rules) => Some(rules),
        _ => None,
    });
    rules.into_iter().flatten().map(|rule| field_mut(rule, "fault"))
}

/// Looks at the name of each field of a fault, except in its answer: the headers there have any name.
fn each_field(fault: &mut Node, look: &mut impl FnMut(&mut String)) {
    let Value::Map(fields) = &mut fault.value else { return };
    for entry in fields {
        if entry.key == "delay"
            && let Value::Map(delay) = &mut entry.value.value
        {
            delay.iter_mut().for_each(|entry| look(&mut entry.key));
        }
        look(&mut entry.key);
    }
}
