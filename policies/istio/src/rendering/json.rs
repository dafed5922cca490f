//! Values of JSON, and maps without what is absent.

use policies::language::Percentage;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A map of the fields that are there.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let there = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

/// Sets a field of a map.
pub(super) fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(key.to_owned(), value);
    }
}

/// A list or a map, unless it is empty.
pub(super) fn some(members: impl Serialize) -> Option<Value> {
    let value = json!(members);
    let is_empty = match &value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    (!is_empty).then_some(value)
}

/// A share in percent.
pub(super) fn number(percentage: Percentage) -> Value {
    let text = percentage.to_string();
    text.parse::<u64>().map_or_else(|_| json!(text.parse::<f64>().unwrap_or_default()), |whole| json!(whole))
}
