//! Matches of requests.

use serde_json::{Map, Value, json};

use crate::{
    rendering::json::{object, set, some},
    written::{NameMatch, RequestMatch, TextMatch},
};

/// Matches, of which one must hold, of requests at these gateways; of all without any.
pub(super) fn matches(matches: &[RequestMatch], gateways: &[String]) -> Vec<Value> {
    let mut rendered: Vec<_> = matches.iter().map(matched).collect();
    if rendered.is_empty() && !gateways.is_empty() {
        rendered.push(json!({}));
    }
    if !gateways.is_empty() {
        rendered.iter_mut().for_each(|matched| set(matched, "gateways", json!(gateways)));
    }
    rendered
}

fn matched(matched: &RequestMatch) -> Value {
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
