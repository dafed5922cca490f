//! Valid policies with anything in their metadata, and edits of them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any text that matters to quotes, comments and line ends; and any text at all.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z]{1,6}",
        2 => "[ -~]{0,12}",
        1 => "([a-z#:'\"é-]{1,5}\n){1,3}([a-z ]{0,5})",
        1 => prop::sample::select(vec!["", "no", "5", "0x1f", "1e3", "~", "null", "<<", "2026-01-01", "- a", "a: b", "a #b", "---", "...", "%a", "\u{85}\u{2028}\u{feff}", " a", "a\t", "\r\n", "!t", "&a", "*a", "`", "@x", "12:30"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// Any value of JSON.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => (-1000..1000i32).prop_map(|number| json!(f64::from(2 * number + 1) / 8.0)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    scalar.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..4).prop_map(object),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,5}", 1 => text()].prop_filter("too long for a key", |key| key.len() < 100)
}

fn object(entries: std::collections::BTreeMap<String, Value>) -> Value {
    Value::Object(Map::from_iter(entries))
}

fn map() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(key(), value(), 0..4).prop_map(object)
}

fn rule() -> impl Strategy<Value = Value> {
    let matches = prop::option::of("[a-z]{1,5}").prop_map(|path| {
        path.map(|path| json!({"path": {"prefix": format!("/{path}")}, "method": {"exact": "GET"}}))
    });
    let body = "[a-z \n]{0,12}";
    (matches, 1..100u32, prop::option::of(body)).prop_map(|(matches, percentage, body)| {
        let mut abort = json!({"httpStatus": 503});
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            abort["body"] = body.into();
        }
        let mut rule = json!({"fault": {"percentage": percentage, "abort": abort}});
        if let Some(matches) = matches {
            rule["match"] = matches;
        }
        rule
    })
}

/// A policy.
pub(crate) fn policy(name: &'static str) -> impl Strategy<Value = Value> {
    let rules = prop::collection::vec(rule(), 1..4);
    let spec = (rules, any::<Option<bool>>(), any::<Option<i32>>(), prop::option::of("[a-z]{1,5}"));
    let metadata = (prop::option::of(map()), prop::option::of(value()), prop::option::of("[0-9]"));
    (spec, metadata).prop_map(move |((rules, suspend, priority, service), (labels, annotations, version))| {
        let mut document = json!({"metadata": {"name": name}, "spec": {"rules": rules}});
        let mut set = |pointer: &str, key: &str, value: Option<Value>| {
            if let Some(value) = value {
                document.pointer_mut(pointer).unwrap()[key] = value;
            }
        };
        set("/metadata", "labels", labels);
        set("/metadata", "annotations", annotations);
        set("/metadata", "version", version.map(Value::from));
        set("/spec", "suspend", suspend.map(Value::from));
        set("/spec", "priority", priority.map(Value::from));
        set("/spec", "selector", service.map(|service| json!({"service": service})));
        document
    })
}

/// One step of an edit: where, by numbers that are taken modulo what is there.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// Another text, number or boolean in the place of one.
    Scalar(Vec<u8>, String),
    Add(Vec<u8>, String, Value),
    Remove(Vec<u8>),
    Replace(Vec<u8>, Value),
    Swap(Vec<u8>),
}

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let path = || prop::collection::vec(any::<u8>(), 1..6);
    prop_oneof![
        (path(), "[a-z]{1,6}").prop_map(|(path, text)| Edit::Scalar(path, text)),
        (path(), key(), value()).prop_map(|(path, key, value)| Edit::Add(path, key, value)),
        path().prop_map(Edit::Remove),
        (path(), value()).prop_map(|(path, value)| Edit::Replace(path, value)),
        path().prop_map(Edit::Swap),
    ]
}

/// Makes an edit, in the metadata and the rules; false where there is nothing that it could change.
pub(crate) fn apply(document: &mut Value, edit: &Edit) -> bool {
    let is_rules = |path: &[u8]| path.first().is_some_and(|first| first % 3 == 0);
    let (Edit::Scalar(path, _)
    | Edit::Add(path, ..)
    | Edit::Remove(path)
    | Edit::Replace(path, _)
    | Edit::Swap(path)) = edit;
    let top = match is_rules(path) {
        true => document.pointer_mut("/spec/rules"),
        false if path[0] % 3 == 1 => document.pointer_mut("/metadata/labels"),
        false => document.pointer_mut("/metadata/annotations"),
    };
    let Some(mut at) = top else { return false };
    for step in &path[1..] {
        let step = usize::from(*step);
        let count = match &*at {
            Value::Object(entries) => entries.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        // Sometimes not all the way down.
        if count == 0 || step % 7 == 6 && !matches!(edit, Edit::Scalar(..)) {
            break;
        }
        at = match at {
            Value::Object(entries) => entries.iter_mut().nth(step % count).unwrap().1,
            Value::Array(items) => &mut items[step % count],
            _ => unreachable!(),
        };
    }
    match (edit, at) {
        (Edit::Scalar(_, text), Value::String(old)) if !old.contains(|c: char| c.is_control()) => {
            old.clone_from(text)
        }
        (Edit::Scalar(_, text), Value::Number(old)) => *old = (text.len() as u32 + 3).into(),
        (Edit::Scalar(..), Value::Bool(old)) => *old = !*old,
        (Edit::Add(_, key, value), Value::Object(entries))
            if !entries.is_empty() && !entries.contains_key(key) =>
        {
            entries.insert(key.clone(), value.clone());
        }
        (Edit::Add(_, key, value), Value::Array(items)) if !items.is_empty() => {
            let at = key.len() % (items.len() + 1);
            let new = if is_rules(path) { items[0].clone() } else { value.clone() };
            items.insert(at, new);
        }
        (Edit::Remove(_), Value::Object(entries)) if entries.len() > 1 => {
            let key = entries.keys().nth(path.len() % entries.len()).unwrap().clone();
            entries.remove(&key);
        }
        (Edit::Remove(_), Value::Array(items)) if items.len() > 1 => {
            drop(items.remove(path.len() % items.len()))
        }
        (Edit::Replace(_, value), at) if !is_rules(path) => *at = value.clone(),
        (Edit::Swap(_), Value::Array(items)) => items.reverse(),
        _ => return false,
    }
    true
}
