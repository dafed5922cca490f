//! Rules.

use serde_json::{Map, Value, json};

use crate::{
    field::Field,
    opinions::authorization_policy as opinions,
    rendering::{
        json::{object, some},
        ztunnel,
    },
    values::IpBlock,
    written::{AccessRule, Conditions, Sources},
};

pub(super) fn rule(rule: &AccessRule) -> Value {
    let AccessRule { is, not, patch } = rule;
    let operation =
        [("", is), ("not", not)].into_iter().flat_map(|(prefix, conditions)| operation(prefix, conditions));
    let operation: Map<_, _> = operation.collect();
    let when: Vec<_> = when("values", is).chain(when("notValues", not)).collect();
    let mut rule = object([
        ("from", some(sources(&is.from, &not.from))),
        ("to", (!operation.is_empty()).then(|| json!([{"operation": operation}]))),
        ("when", some(when)),
    ]);
    if let Some(patch) = patch {
        patch.apply(&mut rule);
    }
    rule
}

/// True if a rule, with its `spec`, is about more than connections.
pub(super) fn reads_requests(rule: &AccessRule) -> bool {
    ztunnel::unknown(&Field::root("rule", &self::rule(rule))).is_some()
}

/// The name of a field, or of its opposite.
fn field(prefix: &str, name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) if !prefix.is_empty() => {
            format!("{prefix}{}{}", first.to_ascii_uppercase(), letters.as_str())
        }
        _ => name.to_owned(),
    }
}

/// A source for each kind of caller; each without those that are excepted.
fn sources(is: &Sources, not: &Sources) -> Vec<Value> {
    let excepted: Map<_, _> = kinds("not", not).collect();
    let with = |(key, value): (String, Value)| {
        let mut source = excepted.clone();
        source.insert(key, value);
        json!({"source": source})
    };
    let sources: Vec<_> = kinds("", is).map(with).collect();
    if sources.is_empty() && !excepted.is_empty() { vec![json!({"source": excepted})] } else { sources }
}

/// The fields of sources, each of which is enough.
fn kinds(prefix: &str, sources: &Sources) -> impl Iterator<Item = (String, Value)> {
    let Sources { service_accounts, namespaces, is_anybody_of_mesh, ip_blocks, token_subjects } = sources;
    // Exceptions hold together, and have to stay in one source.
    let most = if prefix.is_empty() { opinions::ACCOUNTS_OF_SOURCE } else { usize::MAX };
    let accounts = service_accounts.chunks(most).map(|accounts| ("serviceAccounts", json!(accounts)));
    let blocks: Vec<_> = ip_blocks.iter().map(IpBlock::as_str).collect();
    let others = [
        ("namespaces", some(namespaces)),
        ("principals", is_anybody_of_mesh.then(|| json!(["*"]))),
        ("ipBlocks", some(blocks)),
        ("requestPrincipals", some(token_subjects)),
    ];
    let others = others.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let kinds: Vec<_> = accounts.chain(others).map(|(name, value)| (field(prefix, name), value)).collect();
    kinds.into_iter()
}

fn operation(prefix: &str, conditions: &Conditions) -> impl Iterator<Item = (String, Value)> {
    let Conditions { from: _, methods, paths, ports, hosts, claims: _, headers: _ } = conditions;
    let ports: Vec<_> = ports.iter().map(u32::to_string).collect();
    let fields =
        [("methods", some(methods)), ("paths", some(paths)), ("ports", some(ports)), ("hosts", some(hosts))];
    fields.map(|(name, value)| Some((field(prefix, name), value?))).into_iter().flatten()
}

fn when(values: &str, conditions: &Conditions) -> impl Iterator<Item = Value> {
    let claims = conditions.claims.iter().map(|(name, list)| (format!("request.auth.claims[{name}]"), list));
    let headers = conditions.headers.iter().map(|(name, list)| (format!("request.headers[{name}]"), list));
    claims.chain(headers).map(move |(key, list)| json!({"key": key, values: list}))
}
