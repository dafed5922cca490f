//! The fields of a resource that hold one value.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::resource::Resource;

/// The values of a resource by their paths, without `apiVersion` and `kind`, which its section says. A list or a map
/// without anything in it is a value too.
pub(super) fn leaves(resource: &Resource) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    let object = resource.object();
    for room in ["metadata", "spec"] {
        if let Some(value) = object.get(room) {
            gather(value, room.to_owned(), &mut leaves);
        }
    }
    leaves
}

fn gather(value: &Value, path: String, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                gather(value, format!("{path}.{key}"), leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                gather(item, format!("{path}[{at}]"), leaves);
            }
        }
        _ => {
            leaves.insert(path, value.clone());
        }
    }
}

/// The paths that are not in another rendering with the same value. A value of a list may have moved there.
pub(super) fn changed(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let has_moved = |path: &str, value: &Value| {
        let list = path.strip_suffix(']').and_then(|path| path.rsplit_once('[')).map(|(list, _)| list);
        let is_item = |other: &str| list.is_some_and(|list| other.strip_prefix(list).is_some_and(is_index));
        list.is_some() && after.iter().any(|(other, there)| there == value && is_item(other))
    };
    let differs =
        |(path, value): &(&String, &Value)| after.get(*path) != Some(value) && !has_moved(path, value);
    before.iter().filter(differs).map(|(path, _)| path.clone()).collect()
}

/// True for `[0]` and the like.
fn is_index(text: &str) -> bool {
    text.strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
