//! Matches of requests.

use serde_json::{Value, json};

use super::draft::Draft;
use crate::{
    rendering::json::{object, some},
    values::EnvoyRegex,
    written::{NameMatch, RequestMatch, Route, TextMatch},
};

/// The methods that the Gateway API knows.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

pub(super) fn matches(route: &Route, draft: &mut Draft) -> Vec<Value> {
    let rewrites = route.rewrite.as_ref().is_some_and(|rewrite| rewrite.path.is_some());
    if route.matches.is_empty() && rewrites && !draft.is_grpc() {
        // What a rewrite replaces is named, also if it is every path.
        return vec![json!({"path": {"type": "PathPrefix", "value": "/"}})];
    }
    route.matches.iter().map(|matched| self::matched(matched, draft)).collect()
}

fn matched(matched: &RequestMatch, draft: &mut Draft) -> Value {
    let RequestMatch { path, method, headers, without_headers, query, from_namespace, from_labels } = matched;
    if !without_headers.is_empty() {
        draft.misfit("match", "has a header that must not be so, which has no counterpart");
    }
    if from_namespace.is_some() || !from_labels.is_empty() {
        draft.misfit("match.from", "has no counterpart");
    }
    if draft.is_grpc() {
        if method.is_some() || !query.is_empty() {
            draft.misfit(
                "match",
                "has a method of HTTP or a query parameter, which calls of gRPC do not have",
            );
        }
        let call = path.as_ref().and_then(|path| call(path, draft));
        return object([("method", call), ("headers", names(headers, draft))]);
    }
    object([
        ("path", path.as_ref().map(|path| self::path(path, draft))),
        ("method", method.as_ref().and_then(|method| self::method(method, draft))),
        ("headers", names(headers, draft)),
        ("queryParams", names(query, draft)),
    ])
}

fn path(path: &TextMatch, draft: &mut Draft) -> Value {
    let (kind, value) = match path {
        TextMatch::Exact(path) => ("Exact", path.as_str()),
        TextMatch::Prefix(prefix) => {
            if prefix != "/" {
                // The Gateway API compares whole elements: `/a` is not the beginning of `/ab`.
                draft.differs();
            }
            ("PathPrefix", prefix.as_str())
        }
        TextMatch::Regex(regex) => ("RegularExpression", regex.as_str()),
        TextMatch::Present => ("PathPrefix", "/"),
    };
    if kind != "RegularExpression" && !is_path(value) {
        let reason = format!("has the path `{value}`, which is not a plain path that begins with `/`");
        draft.misfit("match", &reason);
    }
    json!({"type": kind, "value": value})
}

/// True for a path without what a proxy would change: doubled slashes, dots as elements, `/` in disguise.
fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@%".contains(&byte);
    let mut elements = path.split('/');
    elements.next() == Some("")
        && path.bytes().all(is_plain)
        && !path.contains("//")
        && !path.to_ascii_lowercase().contains("%2f")
        && elements.all(|element| element != "." && element != "..")
}

fn method(method: &TextMatch, draft: &mut Draft) -> Option<Value> {
    match method {
        TextMatch::Exact(name) if METHODS.contains(&name.as_str()) => return Some(json!(name)),
        _ => draft.misfit("match", &format!("has a method that is not one of {}", METHODS.join(", "))),
    }
    None
}

/// The method of gRPC that a path calls, `/SERVICE/METHOD`.
fn call(path: &TextMatch, draft: &mut Draft) -> Option<Value> {
    let (path, is_whole) = match path {
        TextMatch::Exact(path) => (path, true),
        TextMatch::Prefix(path) => (path, false),
        TextMatch::Regex(_) | TextMatch::Present => (&String::new(), true),
    };
    match path.strip_prefix('/').and_then(|call| call.split_once('/')) {
        Some((service, method)) if is_whole && !service.is_empty() && is_name(method) => {
            Some(json!({"type": "Exact", "service": service, "method": method}))
        }
        Some((service, "")) if !is_whole && !service.is_empty() => {
            Some(json!({"type": "Exact", "service": service}))
        }
        _ => {
            draft.misfit("match", "has a path that is neither `/SERVICE/METHOD` nor the prefix `/SERVICE/`");
            None
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn names(list: &[NameMatch], draft: &mut Draft) -> Option<Value> {
    let mut one = |NameMatch { name, value }: &NameMatch| {
        let (kind, value) = match value {
            TextMatch::Exact(text) if text.is_empty() => {
                draft.misfit("match", &format!("has an empty value for `{name}`"));
                ("Exact", text.clone())
            }
            TextMatch::Exact(text) => ("Exact", text.clone()),
            TextMatch::Prefix(text) => ("RegularExpression", format!("{}.*", EnvoyRegex::escaped(text))),
            TextMatch::Regex(regex) => ("RegularExpression", regex.as_str().to_owned()),
            TextMatch::Present => ("RegularExpression", ".*".to_owned()),
        };
        json!({"name": name, "type": kind, "value": value})
    };
    some(list.iter().map(&mut one).collect::<Vec<_>>())
}
