//! Matches of requests.

use serde_json::{Map, Value, json};

use crate::{
    rendering::json::{object, some},
    written::{NameMatch, RequestMatch, TextMatch},
};

pub(super) fn matched(matched: &RequestMatch) -> Value {
    let RequestMatch { path, method, headers, without_headers, query, from_namespace, from_labels } = matched;
    object([
        ("uri", path.as_ref().map(text)),
        ("method", method.as_ref().map(text)),
        ("headers", names(headers)),
        ("withoutHeaders", names(without_headers)),
        ("queryParams", names(query)),
        ("sourceNamespace", from_namespace.as_ref().map(|namespace| json!(namespace.as_str()))),
        ("sourceLabels", some(from_labels)),
    ])
}

fn text(text: &TextMatch) -> Value {
    match text {
        TextMatch::Exact(text) => json!({"exact": text}),
        TextMatch::Prefix(text) => json!({"prefix": text}),
        TextMatch::Regex(regex) => json!({"regex": regex.as_str()}),
        // Istio takes a match without a test for one of presence.
        TextMatch::Present => json!({}),
    }
}

fn names(list: &[NameMatch]) -> Option<Value> {
    let fields: Map<_, _> =
        list.iter().map(|NameMatch { name, value }| (name.clone(), text(value))).collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}
