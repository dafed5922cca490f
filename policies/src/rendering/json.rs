//! Policies as JSON, in the shape of the first generation.

use serde_json::{Map, Value, json};

use crate::language::{
    Abort, Condition, Delay, Destination, Fault, Flow, Form, Match, Matcher, Mode, Percentage, Policy, Reply,
    Rule, Selector, Source, Target, Test,
};
use crate::reading::{self, MapEntry};
use crate::repository::ParsedPolicy;

/// `{"metadata":…,"spec":…}`, with every default spelt out that the first generation's clients rely
/// on, and of the rest what is not the default.
pub fn policy(policy: &Policy) -> Value {
    let mut spec = Map::new();
    put(&mut spec, "selector", Some(selector(&policy.selector)));
    if let Flow::Outbound { destination } = &policy.flow {
        put(&mut spec, "direction", Some("outbound"));
        put(&mut spec, "destination", Some(destination).filter(|to| !to.is_any()).map(self::destination));
    }
    put(&mut spec, "mode", (policy.mode == Mode::Shadow).then_some("shadow"));
    put(&mut spec, "priority", Some(policy.priority).filter(|priority| *priority != 0));
    put(&mut spec, "suspend", policy.suspend.then_some(true));
    put(&mut spec, "startsAt", policy.starts_at.map(|time| time.to_rfc3339()));
    put(&mut spec, "expiresAt", policy.expires_at.map(|time| time.to_rfc3339()));
    put(&mut spec, "rules", Some(policy.rules.iter().map(rule).collect::<Vec<_>>()));
    json!({"metadata": {"name": policy.name.as_str()}, "spec": spec})
}

/// The same in full: with `version`, `labels` and `annotations`.
pub fn in_full(parsed: &ParsedPolicy) -> Value {
    let mut document = policy(&parsed.policy);
    let metadata = document.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata {
        let inert = parsed.inert_metadata().fields();
        metadata.extend(inert.map(|(name, value)| (name.to_owned(), written(value))));
    }
    document
}

/// A value of YAML; numbers that JSON does not have become texts.
fn written(value: &reading::Value) -> Value {
    match value {
        reading::Value::Null => Value::Null,
        reading::Value::Bool(value) => (*value).into(),
        reading::Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        reading::Value::String(text) => text.as_str().into(),
        reading::Value::List(items) => items.iter().map(|item| written(&item.value)).collect(),
        reading::Value::Map(fields) => {
            let field = |MapEntry { place: _, key, value }: &MapEntry| (key.clone(), written(&value.value));
            Value::Object(fields.iter().map(field).collect())
        }
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    map.extend(value.map(|value| (name.to_owned(), value.into())));
}

fn selector(Selector { target, namespace }: &Selector) -> Value {
    let namespace = namespace.as_str();
    match target {
        Target::Service(service) => json!({"service": service.as_str(), "namespace": namespace}),
        Target::Host(host) => json!({"host": host.as_str(), "namespace": namespace}),
    }
}

fn destination(destination: &Destination) -> Value {
    match destination {
        Destination::Service { service, namespace } => {
            json!({"service": service.as_str(), "namespace": namespace.as_str()})
        }
        Destination::Host(host) => json!({"host": host.as_str()}),
    }
}

fn rule(rule: &Rule) -> Value {
    let mut json = Map::new();
    // One without conditions is not valid: it is left out to match every request.
    put(&mut json, "match", Some(matches(&rule.matches)).filter(|matches| !matches.is_empty()));
    put(&mut json, "fault", Some(fault(&rule.fault)));
    json.into()
}

fn matches(Match { conditions, source }: &Match) -> Map<String, Value> {
    let mut json = Map::new();
    for Condition { subject, matcher } in conditions {
        let (kind, mut written) = (subject.kind(), self::matcher(matcher));
        match kind.form {
            Form::Single { .. } => put(&mut json, kind.key, Some(written)),
            Form::Named => {
                put(&mut written, "name", Some(subject.name()));
                let list = json.entry(kind.key).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut().into_iter().for_each(|list| list.push(written.clone().into()));
            }
        }
    }
    let source = source.as_ref().map(|Source { namespace, service_account }| {
        json!({"namespace": namespace.as_str(), "serviceAccount": service_account.as_str()})
    });
    put(&mut json, "source", source);
    json
}

fn matcher(Matcher { negated, test }: &Matcher) -> Map<String, Value> {
    let (kind, value) = match test {
        Test::Exact(text) => ("exact", text.as_str().into()),
        Test::Prefix(text) => ("prefix", text.as_str().into()),
        Test::Regex(pattern) => ("regex", pattern.written().into()),
        Test::Present(present) => ("present", (*present).into()),
    };
    let json = Map::from_iter([(kind.to_owned(), value)]);
    if *negated { Map::from_iter([("not".to_owned(), json.into())]) } else { json }
}

fn fault(fault: &Fault) -> Value {
    let mut json = Map::new();
    put(&mut json, "percentage", Some(percentage(fault.percentage)));
    put(&mut json, "stickyBy", fault.sticky_by.as_ref().map(|name| name.as_str()));
    put(&mut json, "start_delay_ms", Some(fault.start_delay_ms));
    put(&mut json, "duration_seconds", Some(fault.duration_seconds));
    let delay = fault.delay.map(|Delay { min_ms, max_ms }| match min_ms == max_ms {
        true => json!({"fixed_delay_ms": min_ms}),
        false => json!({"min_ms": min_ms, "max_ms": max_ms}),
    });
    put(&mut json, "delay", delay);
    put(&mut json, "abort", fault.abort.as_ref().map(abort));
    json.into()
}

fn abort(Abort { reply, headers }: &Abort) -> Value {
    let mut json = match reply {
        Reply::Http { status, body } => json!({"httpStatus": status.as_u16(), "body": body}),
        Reply::Grpc { status, message } => json!({"grpcStatus": status.to_string(), "message": message}),
    };
    if let Some(json) = json.as_object_mut().filter(|_| !headers.is_empty()) {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.as_str().into()));
        put(json, "headers", Some(Map::from_iter(headers)));
    }
    json
}

/// A whole number where it is one: the first generation reads nothing else.
fn percentage(percentage: Percentage) -> Value {
    let parts = percentage.parts_per_million();
    if parts.is_multiple_of(10_000) { json!(parts / 10_000) } else { json!(f64::from(parts) / 10_000.0) }
}
