//! Istio's own fields, which an entry and its items have under `spec`.

use std::fmt::Write as _;

use policies::reading::{Cursor, Place, Value};

/// A `spec` of an entry or of one of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFields {
    pub place: Place,
    /// Its path, such as `spec.gateway[0].spec`.
    pub field: String,
    /// The first field in it that says what the object is for, or decides what happens there.
    pub guarded: Option<&'static str>,
}

/// The fields at the top of a `spec` that `allowSpec: safe` keeps.
const GUARDED: [&str; 9] = [
    "selector",
    "workloadSelector",
    "targetRef",
    "targetRefs",
    "exportTo",
    "hosts",
    "action",
    "hostnames",
    "parentRefs",
];

/// Everything of an entry that is under `spec`.
pub(super) fn of(entry: &Cursor<'_>) -> Vec<OwnFields> {
    let mut found = Vec::new();
    walk(entry.value(), &mut entry.path().to_owned(), &mut found);
    found
}

fn walk(value: &Value, path: &mut String, found: &mut Vec<OwnFields>) {
    let length = path.len();
    match value {
        Value::Map(entries) => {
            for entry in entries {
                // Most values have no further ones: their paths are never asked for.
                let is_more = matches!(entry.value.value, Value::Map(_) | Value::List(_));
                if !is_more {
                    continue;
                }
                path.push('.');
                path.push_str(&entry.key);
                if entry.key == "spec" && matches!(entry.value.value, Value::Map(_)) {
                    let guarded = guarded(&entry.value.value);
                    found.push(OwnFields { place: entry.value.place, field: path.clone(), guarded });
                } else {
                    walk(&entry.value.value, path, found);
                }
                path.truncate(length);
            }
        }
        Value::List(items) => {
            for (number, item) in items.iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = write!(path, "[{number}]");
                walk(&item.value, path, found);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The first guarded field. One of the same name further in says something else, such as the hosts of a rule.
fn guarded(value: &Value) -> Option<&'static str> {
    let Value::Map(entries) = value else { return None };
    entries.iter().find_map(|entry| {
        let own = GUARDED.into_iter().find(|name| *name == entry.key);
        own.or_else(|| match &entry.value.value {
            // The public hosts of a Gateway.
            Value::List(servers) if entry.key == "servers" => {
                servers.iter().find_map(|server| guarded(&server.value))
            }
            _ => None,
        })
    })
}
