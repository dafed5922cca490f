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

/// Spells the fields of a document as another does, where that spells a field in one way only.
pub(super) fn spell_as(document: &mut Node, written: &Node) {
    let mut found = [[false; 2]; FIELDS.len()];
    let mut copy = written.clone();
    each_field(&mut copy, &mut |key| {
        for ((snake, camel), [is_snake, is_camel]) in FIELDS.iter().zip(&mut found) {
            *is_snake |= key == snake;
            *is_camel |= key == camel;
        }
    });
    each_field(document, &mut |key| {
        for ((snake, camel), found) in FIELDS.iter().zip(&found) {
            let spelling = match found {
                [true, false] => snake,
                [false, true] => camel,
                _ => continue,
            };
            if key == snake || key == camel {
                *key = (*spelling).to_owned();
            }
        }
    });
}

/// Looks at the name of each field of the faults of a document, except in their answers: the headers there have any name.
fn each_field(document: &mut Node, look: &mut impl FnMut(&mut String)) {
    let Some(Value::List(rules)) =
        field_mut(document, "spec").and_then(|spec| field_mut(spec, "rules")).map(|rules| &mut rules.value)
    else {
        return;
    };
    for fault in rules.iter_mut().filter_map(|rule| field_mut(rule, "fault")) {
        let Value::Map(fields) = &mut fault.value else { continue };
        for entry in fields {
            if entry.key == "delay"
                && let Value::Map(delay) = &mut entry.value.value
            {
                delay.iter_mut().for_each(|entry| look(&mut entry.key));
            }
            look(&mut entry.key);
        }
    }
}
