//! Values that mean the same, wherever they stand and however they are written.

use std::collections::HashMap;

use crate::reading::{MapEntry, Value};

/// The values of a map by their keys.
pub(super) fn by_key(entries: &[MapEntry]) -> HashMap<&str, &Value> {
    entries.iter().map(|entry| (entry.key.as_str(), &entry.value.value)).collect()
}

/// True if both are equal; the order of the entries of a map has no meaning.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, &b.value))
        }
        (Value::Map(a), Value::Map(b)) => {
            let others = by_key(b);
            let is_there = |entry: &MapEntry| {
                others.get(entry.key.as_str()).is_some_and(|b| same(&entry.value.value, b))
            };
            a.len() == b.len() && a.iter().all(is_there)
        }
        _ => a == b,
    }
}
