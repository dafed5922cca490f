//! `spec`: Istio's own fields, as they are written.

use policies::reading::{Cursor, Value as Yaml};
use serde_json::{Map, Number, Value};

use crate::values::MergePatch;

/// Reads what is merged onto a rendered map.
pub(super) fn patch(field: &Cursor<'_>) -> Option<MergePatch> {
    if !matches!(field.value(), Yaml::Map(_)) {
        field.report("must be a map of Istio's fields");
        return None;
    }
    match value(field)? {
        Value::Object(fields) if fields.is_empty() => {
            field.report("is empty; leave it out, or write Istio's fields");
            None
        }
        Value::Object(fields) => Some(MergePatch(fields)),
        _ => None,
    }
}

/// The most values in one, for the 4,096 endpoints of a ServiceEntry; and the longest key, that of a label.
const MAX_VALUES: usize = 20_000;
const MAX_KEY: usize = 317;

/// Reads any value.
pub(super) fn value(field: &Cursor<'_>) -> Option<Value> {
    let (values, key) = measured(field.value());
    if values > MAX_VALUES {
        field.report(format_args!("has {values} values; write at most {MAX_VALUES}"));
        return None;
    }
    if key > MAX_KEY {
        field.report(format_args!("has a key of {key} bytes; write at most {MAX_KEY}"));
        return None;
    }
    read(field)
}

/// The number of values in a value, itself among them, and the length of its longest key.
fn measured(value: &Yaml) -> (usize, usize) {
    let add = |(values, key): (usize, usize), (more, other): (usize, usize)| (values + more, key.max(other));
    match value {
        Yaml::List(items) => items.iter().map(|item| measured(&item.value)).fold((1, 0), add),
        Yaml::Map(entries) => {
            let keys = entries.iter().map(|entry| (0, entry.key.len()));
            let values = entries.iter().map(|entry| measured(&entry.value.value));
            keys.chain(values).fold((1, 0), add)
        }
        _ => (1, 0),
    }
}

fn read(field: &Cursor<'_>) -> Option<Value> {
    Some(match field.value() {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(*value),
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Number(text) => {
            let number = serde_json::from_str::<Number>(text);
            let number = number.map_err(|_| format!("`{text}` is a number that JSON does not have"));
            Value::Number(field.accept(number)?)
        }
        Yaml::List(_) => {
            let items: Vec<_> = field.items()?.map(|item| read(&item)).collect();
            Value::Array(items.into_iter().collect::<Option<_>>()?)
        }
        Yaml::Map(_) => {
            let fields: Vec<_> = field.entries().map(|(key, field)| (key.to_owned(), read(&field))).collect();
            let fields = fields.into_iter().map(|(key, value)| Some((key, value?)));
            Value::Object(fields.collect::<Option<Map<_, _>>>()?)
        }
    })
}
