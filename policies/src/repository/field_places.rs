//! The places of a document's fields.

use std::sync::Arc;

use crate::reading::{Node, Place, Value};

/// The places of the fields that other documents can be at odds with.
#[derive(Clone, Debug)]
pub(crate) struct FieldPlaces(Arc<[(String, Place)]>);

impl FieldPlaces {
    pub(crate) fn of(document: &Node) -> Self {
        let mut places = Vec::new();
        note(document, String::new(), &mut places);
        Self(places.into())
    }

    /// The place of a field; of one that is not written, the place of its parent; `None` where that is the
    /// document.
    pub(crate) fn at(&self, field: &str) -> Option<Place> {
        let within = |known: &str| {
            field.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let known = self.0.iter().filter(|(known, _)| within(known));
        known.max_by_key(|(known, _)| known.len()).map(|(_, place)| *place)
    }
}

/// Notes the places of a document's fields, as deep as others can be at odds with them.
fn note(node: &Node, path: String, places: &mut Vec<(String, Place)>) {
    match &node.value {
        Value::Map(fields) => {
            for field in fields {
                let path = if path.is_empty() { field.key.clone() } else { format!("{path}.{}", field.key) };
                let deeper = !["match", "labels", "annotations", "headers"].contains(&field.key.as_str());
                places.push((path.clone(), field.value.place));
                if deeper {
                    note(&field.value, path, places);
                }
            }
        }
        Value::List(items) => {
            for (i, item) in items.iter().enumerate() {
                let path = format!("{path}[{i}]");
                places.push((path.clone(), item.place));
                note(item, path, places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
