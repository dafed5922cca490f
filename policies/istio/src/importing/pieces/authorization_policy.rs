//! AuthorizationPolicies.

use serde_json::{Map, Value, json};

use super::{bindings, bound, get, list, text};
use crate::{importing::header::Header, opinions::authorization_policy::DRY_RUN, resource::Resource};

pub(super) fn pieces(resource: &Resource, header: &Header) -> Vec<Value> {
    let Some(attributes) = attributes(resource) else { return Vec::new() };
    // In ambient hfi adds a second object, which was not read.
    let alone = json!({"onlyViaWaypoint": false});
    let bindings = bindings(&resource.spec, header);
    bound(&bound(&bindings, &[json!({}), alone]), &[attributes])
}

fn attributes(resource: &Resource) -> Option<Value> {
    let spec = &resource.spec;
    let rules = list(spec, "rules");
    let mut attributes = match (text(spec, "action").unwrap_or("ALLOW"), rules) {
        ("ALLOW", []) => json!({"denyAll": true}),
        (action @ ("ALLOW" | "DENY" | "AUDIT" | "CUSTOM"), rules) => {
            let name = if action == "CUSTOM" { "check".to_owned() } else { action.to_ascii_lowercase() };
            let rules: Vec<_> = rules.iter().map(rule).collect::<Option<_>>()?;
            json!({name: rules})
        }
        _ => return None,
    };
    let provider = spec.pointer("/provider/name").map(|name| json!({"provider": name}));
    let (key, value) = DRY_RUN;
    let is_shadow = resource.annotations.get(key).is_some_and(|given| given == value);
    let shadow = is_shadow.then(|| json!({"mode": "shadow"}));
    for more in [provider, shadow].into_iter().flatten() {
        crate::values::merge(&mut attributes, &more);
    }
    Some(attributes)
}

/// A rule; nothing if it says what attributes cannot.
fn rule(rule: &Value) -> Option<Value> {
    let (mut is, mut not) = (Map::new(), Map::new());
    let mut add = |is_not: bool, name: &str, values: Vec<Value>| {
        let conditions = if is_not { &mut not } else { &mut is };
        let list = conditions.entry(name.to_owned()).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.extend(values.into_iter().filter(|value| !list.contains(value)).collect::<Vec<_>>());
        }
    };
    for source in list(rule, "from") {
        for (key, values) in source.get("source")?.as_object()? {
            let (is_not, key) = opposite(key);
            let callers = values.as_array()?.iter().map(|value| caller(&key, value.as_str()?));
            add(is_not, "from", callers.collect::<Option<_>>()?);
        }
    }
    for to in list(rule, "to") {
        for (key, values) in to.get("operation")?.as_object()? {
            let (is_not, key) = opposite(key);
            let number = |value: &Value| Some(json!(value.as_str()?.parse::<u32>().ok()?));
            let values = values.as_array()?.iter();
            let values = values.map(|value| if key == "ports" { number(value) } else { Some(value.clone()) });
            add(is_not, &key, values.collect::<Option<_>>()?);
        }
    }
    for when in list(rule, "when") {
        let key = text(when, "key")?.strip_suffix(']')?;
        let (map, name) = match key.strip_prefix("request.auth.claims[") {
            Some(claim) => ("claims", claim),
            None => ("headers", key.strip_prefix("request.headers[")?),
        };
        for (conditions, values) in [(&mut is, "values"), (&mut not, "notValues")] {
            if let Some(values) = get(when, values) {
                let named = conditions.entry(map.to_owned()).or_insert_with(|| json!({}));
                named.as_object_mut()?.insert(name.to_owned(), values);
            }
        }
    }
    if !not.is_empty() {
        is.insert("not".to_owned(), Value::Object(not));
    }
    Some(Value::Object(is))
}

/// True for `notPaths`, and `paths` for both.
fn opposite(key: &str) -> (bool, String) {
    match key.strip_prefix("not") {
        None => (false, key.to_owned()),
        Some(rest) => {
            let mut letters = rest.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            (true, first.into_iter().chain(letters).collect())
        }
    }
}

/// A caller as `from` has it.
fn caller(key: &str, value: &str) -> Option<Value> {
    match key {
        "serviceAccounts" => Some(json!(value)),
        "namespaces" => Some(json!(format!("{value}/*"))),
        "principals" => (value == "*").then(|| json!("*")),
        "ipBlocks" => Some(json!({"ip": value})),
        "requestPrincipals" => match value.rsplit_once('/')? {
            (issuer, "*") => Some(json!({"issuer": issuer})),
            (issuer, subject) => Some(json!({"issuer": issuer, "subject": subject})),
        },
        _ => None,
    }
}
