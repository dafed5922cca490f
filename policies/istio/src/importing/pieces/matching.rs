//! Matches of requests.

use serde_json::{Value, json};

use super::{get, object, some};

/// A match; nothing if it says what attributes cannot.
pub(super) fn matched(matched: &Value) -> Option<Value> {
    let test = |name: &str| get(matched, name).map(|value| test(&value));
    let headers = names(matched, "headers", false).into_iter();
    let headers: Vec<_> = headers.chain(names(matched, "withoutHeaders", true)).collect();
    let query = names(matched, "queryParams", false);
    let from =
        some([("namespace", get(matched, "sourceNamespace")), ("labels", get(matched, "sourceLabels"))]);
    let known =
        ["uri", "method", "headers", "withoutHeaders", "queryParams", "sourceNamespace", "sourceLabels"];
    let is_known = matched.as_object()?.keys().all(|key| known.contains(&key.as_str()));
    is_known.then(|| {
        object([
            ("path", test("uri")),
            ("method", test("method")),
            ("headers", (!headers.is_empty()).then(|| json!(headers))),
            ("query", (!query.is_empty()).then(|| json!(query))),
            ("from", from),
        ])
    })
}

/// A test of a text. Istio's regexes are of the whole value.
fn test(value: &Value) -> Value {
    match value.get("regex").and_then(Value::as_str) {
        Some(regex) => json!({"regex": whole(regex)}),
        None => value.clone(),
    }
}

/// A regex that is found anywhere, for one of the whole value.
pub(super) fn whole(regex: &str) -> String {
    let (start, rest) = regex.strip_prefix(".*").map_or(("^", regex), |rest| ("", rest));
    let (rest, end) = rest.strip_suffix(".*").map_or((rest, "$"), |rest| (rest, ""));
    format!("{start}{rest}{end}")
}

/// Tests of headers or query parameters.
fn names(matched: &Value, field: &str, is_not: bool) -> Vec<Value> {
    let fields = matched.get(field).and_then(Value::as_object).into_iter().flatten();
    let named = |(name, value): (&String, &Value)| {
        let is_there = value.as_object().is_some_and(serde_json::Map::is_empty);
        let mut condition = match (is_there, is_not) {
            (true, _) => json!({"present": !is_not}),
            (false, true) => json!({"not": test(value)}),
            (false, false) => test(value),
        };
        crate::values::merge(&mut condition, &json!({"name": name}));
        condition
    };
    fields.map(named).collect()
}
