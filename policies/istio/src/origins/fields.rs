//! The written fields of a document.

use policies::reading::{Node, Value as Yaml};
use serde_json::Value;

use super::Written;

/// A written field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) written: Written,
    /// Its way through the document: the index in each map and list.
    pub(super) steps: Vec<usize>,
    /// False for an item of a list, without which others would take its place.
    pub(super) is_in_map: bool,
    /// True for a list or a map.
    is_container: bool,
    /// Its key, and its text if it is one value: what may stand in a rendered field as it is.
    texts: Vec<String>,
}

impl Field {
    /// True if this field holds another one.
    pub(super) fn is_around(&self, other: &Self) -> bool {
        other.steps.len() > self.steps.len() && other.steps.starts_with(&self.steps)
    }

    /// The list or map that is alone in this field, and so on: without it, what is around it is often not valid.
    pub(super) fn innermost<'f>(&'f self, fields: &'f [Self]) -> &'f Self {
        let mut children =
            fields.iter().filter(|field| self.is_around(field) && field.steps.len() == self.steps.len() + 1);
        match (children.next(), children.next()) {
            (Some(only), None) if only.is_container => only.innermost(fields),
            _ => self,
        }
    }

    /// True if it says a rendered value, in whatever case.
    pub(super) fn says(&self, value: &Value) -> bool {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.texts.iter().any(|text| text.eq_ignore_ascii_case(&value))
    }
}

/// The fields of `metadata` and `spec`, each before those that it holds.
pub(super) fn fields(document: &Node) -> Vec<Field> {
    let mut fields = Vec::new();
    gather(document, "", &[], &mut fields);
    fields.retain(|field| ["metadata.", "spec."].iter().any(|room| field.written.field.starts_with(room)));
    fields
}

fn gather(node: &Node, path: &str, steps: &[usize], fields: &mut Vec<Field>) {
    let mut add = |at: usize, node: &Node, place, path: String, key: Option<&String>| {
        let steps = [steps, &[at]].concat();
        let texts = key.cloned().into_iter().chain(text(node)).collect();
        let is_container = matches!(node.value, Yaml::List(_) | Yaml::Map(_));
        let written = Written { place, field: path.clone() };
        fields.push(Field { written, steps: steps.clone(), is_in_map: key.is_some(), is_container, texts });
        gather(node, &path, &steps, fields);
    };
    match &node.value {
        Yaml::Map(entries) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (at, entry) in entries.iter().enumerate() {
                add(at, &entry.value, entry.place, format!("{path}{dot}{}", entry.key), Some(&entry.key));
            }
        }
        Yaml::List(items) => {
            for (at, item) in items.iter().enumerate() {
                add(at, item, item.place, format!("{path}[{at}]"), None);
            }
        }
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::String(_) => {}
    }
}

fn text(node: &Node) -> Option<String> {
    match &node.value {
        Yaml::Bool(value) => Some(value.to_string()),
        Yaml::Number(text) | Yaml::String(text) => Some(text.clone()),
        Yaml::Null | Yaml::List(_) | Yaml::Map(_) => None,
    }
}
