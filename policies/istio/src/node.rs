//! Nodes of YAML that are read without finding fault: what is of another form is not there.

use std::collections::BTreeMap;

use policies::reading::{Node, Value as Yaml};
use serde_json::{Map, Number, Value};

/// The objects of a document: itself, or the items of a `List` of Kubernetes.
pub(crate) fn flattened(document: &Node) -> Vec<&Node> {
    let is_list = text(document, &["kind"]).is_some_and(|kind| kind.ends_with("List"));
    match items(get(document, "items")) {
        items if is_list && !items.is_empty() => items.iter().flat_map(flattened).collect(),
        _ => vec![document],
    }
}

/// The field of a map.
pub(crate) fn get<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Yaml::Map(fields) = &node.value else { return None };
    fields.iter().find(|field| field.key == name).map(|field| &field.value)
}

/// The field at the end of a path.
pub(crate) fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, name| get(node, name))
}

/// The text at the end of a path.
pub(crate) fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    match &at(node, path)?.value {
        Yaml::String(text) => Some(text),
        _ => None,
    }
}

/// The items of a list.
pub(crate) fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Yaml::List(items)) => items,
        _ => &[],
    }
}

/// The texts of a map, by their keys.
pub(crate) fn texts(node: Option<&Node>) -> BTreeMap<String, String> {
    let Some(Node { value: Yaml::Map(fields), .. }) = node else { return BTreeMap::new() };
    let texts = fields.iter().filter_map(|field| match &field.value.value {
        Yaml::String(text) => Some((field.key.clone(), text.clone())),
        _ => None,
    });
    texts.collect()
}

/// A value of YAML as one of JSON. A number that JSON does not have is a text.
pub(crate) fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(*value),
        Yaml::Number(text) => {
            serde_json::from_str::<Number>(text).map_or_else(|_| Value::String(text.clone()), Value::Number)
        }
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::List(items) => items.iter().map(json).collect(),
        Yaml::Map(fields) => {
            let fields = fields.iter().map(|field| (field.key.clone(), json(&field.value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}
