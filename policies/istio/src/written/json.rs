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

/// Reads any value.
pub(super) fn value(field: &Cursor<'_>) -> Option<Value> {
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
            let items: Vec<_> = field.items()?.map(|item| value(&item)).collect();
            Value::Array(items.into_iter().collect::<Option<_>>()?)
        }
        Yaml::Map(_) => {
            let fields: Vec<_> =
                field.entries().map(|(key, field)| (key.to_owned(), value(&field))).collect();
            let fields = fields.into_iter().map(|(key, value)| Some((key, value?)));
            Value::Object(fields.collect::<Option<Map<_, _>>>()?)
        }
    })
}
