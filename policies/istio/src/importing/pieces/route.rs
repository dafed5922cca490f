//! Routes.

use serde_json::{Value, json};

use super::{cors, get, list, matching, object, others, text};
use crate::importing::header::Header;

/// The fields that have an attribute.
const KNOWN: [&str; 11] = [
    "name",
    "match",
    "route",
    "redirect",
    "directResponse",
    "timeout",
    "retries",
    "mirrors",
    "rewrite",
    "headers",
    "corsPolicy",
];

/// A route; nothing if its match or its target says what attributes cannot.
pub(super) fn route(item: &Value, header: &Header) -> Option<Value> {
    let matches = match list(item, "match") {
        [] => None,
        [one] => Some(matching::matched(one)?),
        more => Some(more.iter().map(matching::matched).collect::<Option<Vec<_>>>()?.into()),
    };
    let own = json!([{"destination": {"host": header.own_host()}}]);
    let target = get(item, "route").filter(|route| *route != own);
    let (split, to) = match &target {
        None => (None, None),
        Some(targets) => match split(targets, header) {
            Some(split) => (Some(split), None),
            None => (None, Some(destinations(targets, header)?)),
        },
    };
    let headers = item.get("headers").unwrap_or(&Value::Null);
    Some(object([
        ("name", get(item, "name")),
        ("match", matches),
        ("split", split),
        ("to", to),
        ("redirect", item.get("redirect").map(redirect)),
        ("respond", item.get("directResponse").map(respond)),
        ("timeout", get(item, "timeout")),
        ("retries", item.get("retries").and_then(retries)),
        ("mirror", list(item, "mirrors").first().and_then(|mirror| self::mirror(mirror, header))),
        (
            "rewrite",
            item.get("rewrite")
                .map(|rewrite| object([("path", get(rewrite, "uri")), ("host", get(rewrite, "authority"))])),
        ),
        ("headers", get(headers, "request")),
        ("responseHeaders", get(headers, "response")),
        ("cors", item.get("corsPolicy").map(cors::cors)),
        ("spec", others(item, &KNOWN)),
    ]))
}

/// Shares of subsets of the own service.
fn split(targets: &Value, header: &Header) -> Option<Value> {
    let targets = targets.as_array()?;
    let own = header.own_host();
    let share = |target: &Value| {
        let destination = target.get("destination")?;
        let is_own = text(destination, "host") == Some(&own) && destination.as_object()?.len() == 2;
        let weight = get(target, "weight").or((targets.len() == 1).then(|| json!(100)));
        Some((text(destination, "subset").filter(|_| is_own)?.to_owned(), weight?))
    };
    let shares = targets.iter().map(share).collect::<Option<serde_json::Map<_, _>>>()?;
    (shares.len() == targets.len()).then_some(Value::Object(shares))
}

fn destinations(targets: &Value, header: &Header) -> Option<Value> {
    let targets = targets.as_array()?;
    let is_alone = targets.len() == 1;
    targets.iter().map(|target| destination(target, is_alone, header)).collect()
}

fn destination(target: &Value, is_alone: bool, header: &Header) -> Option<Value> {
    let destination = target.get("destination")?;
    // One destination has all the weight there is, and renders none.
    let known: &[_] = if is_alone { &["destination"] } else { &["destination", "weight"] };
    Some(object([
        ("service", Some(json!(service(text(destination, "host")?, header)))),
        ("port", destination.pointer("/port/number").cloned()),
        ("subset", get(destination, "subset")),
        ("weight", get(target, "weight").filter(|_| !is_alone)),
        ("spec", others(target, known)),
    ]))
}

/// The shortest name of a service.
fn service(host: &str, header: &Header) -> String {
    match header.domain.service(host) {
        Some((service, namespace)) if namespace == header.namespace => service.to_owned(),
        Some((service, namespace)) => format!("{service}.{namespace}"),
        None => host.to_owned(),
    }
}

fn redirect(redirect: &Value) -> Value {
    object([
        ("host", get(redirect, "authority")),
        ("path", get(redirect, "uri")),
        ("scheme", get(redirect, "scheme")),
        ("code", get(redirect, "redirectCode")),
    ])
}

fn respond(respond: &Value) -> Value {
    object([("status", get(respond, "status")), ("body", respond.pointer("/body/string").cloned())])
}

fn mirror(mirror: &Value, header: &Header) -> Option<Value> {
    let destination = mirror.get("destination")?;
    Some(object([
        ("service", Some(json!(service(text(destination, "host")?, header)))),
        ("subset", get(destination, "subset")),
        ("percent", mirror.pointer("/percentage/value").cloned()),
    ]))
}

/// Retries, with conditions as a list.
pub(super) fn retries(retries: &Value) -> Option<Value> {
    let attempts = get(retries, "attempts")?;
    if retries.as_object()?.len() == 1 {
        return Some(attempts);
    }
    let condition = |word: &str| word.parse::<u32>().map_or_else(|_| json!(word), |status| json!(status));
    let on = text(retries, "retryOn").map(|words| words.split(',').map(condition).collect());
    Some(object([("attempts", Some(attempts)), ("perTryTimeout", get(retries, "perTryTimeout")), ("on", on)]))
}
