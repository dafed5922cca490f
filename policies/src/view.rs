//! Policies as the first generation's JSON.

use serde_json::{Map, Value, json};

use crate::{
    matcher::Matcher,
    percentage::Percentage,
    policy::{Fault, HeaderMatch, Match, Policy, Rule},
};

/// `{"metadata":…,"spec":…}`, with every default spelt out that its clients rely on.
pub fn policy(policy: &Policy) -> Value {
    json!({
        "metadata": {"name": policy.name.as_str()},
        "spec": {
            "selector": {
                "service": policy.selector.service.as_str(),
                "namespace": policy.selector.namespace.as_str(),
            },
            "rules": policy.rules.iter().map(rule).collect::<Vec<_>>(),
        },
    })
}

fn rule(rule: &Rule) -> Value {
    json!({"match": matches(&rule.matches), "fault": fault(&rule.fault)})
}

fn matches(Match { method, path, headers }: &Match) -> Value {
    let mut json = Map::new();
    json.extend(method.as_ref().map(|method| ("method".to_owned(), matcher(method).into())));
    json.extend(path.as_ref().map(|path| ("path".to_owned(), matcher(path).into())));
    if !headers.is_empty() {
        json.insert("headers".to_owned(), headers.iter().map(header).collect());
    }
    json.into()
}

fn header(HeaderMatch { name, value }: &HeaderMatch) -> Value {
    let mut json = matcher(value);
    json.insert("name".to_owned(), name.as_str().into());
    json.into()
}

fn matcher(matcher: &Matcher) -> Map<String, Value> {
    let (kind, text) = match matcher {
        Matcher::Exact(text) => ("exact", text.as_str()),
        Matcher::Prefix(text) => ("prefix", text.as_str()),
        Matcher::Regex(pattern) => ("regex", pattern.written()),
    };
    Map::from_iter([(kind.to_owned(), text.into())])
}

fn fault(fault: &Fault) -> Value {
    let mut json = Map::from_iter([
        ("percentage".to_owned(), percentage(fault.percentage)),
        ("start_delay_ms".to_owned(), fault.start_delay_ms.into()),
        ("duration_seconds".to_owned(), fault.duration_seconds.into()),
    ]);
    json.extend(fault.delay_ms.map(|delay| ("delay".to_owned(), json!({"fixed_delay_ms": delay}))));
    json.extend(
        fault.abort.as_ref().map(|abort| {
            ("abort".to_owned(), json!({"httpStatus": abort.status.as_u16(), "body": abort.body}))
        }),
    );
    json.into()
}

/// A whole number where it is one: the first generation reads nothing else.
fn percentage(percentage: Percentage) -> Value {
    let parts = percentage.parts_per_million();
    if parts.is_multiple_of(10_000) { json!(parts / 10_000) } else { json!(f64::from(parts) / 10_000.0) }
}
