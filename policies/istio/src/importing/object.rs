//! Objects of Kubernetes, read.

use policies::reading::read_yaml;
use serde_json::Value;

use super::note::Note;
use crate::{
    finding::Finding,
    node,
    resource::{Kind, Resource},
};

/// A resource, and what the file says about its origin.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) resource: Resource,
    /// The object that made it, such as `Canary reviews`.
    owner: Option<String>,
}

/// An object, as far as it can be imported.
pub(super) enum Read {
    Resource(Object),
    /// Of a kind that no application has.
    Other(String),
    Unusable(Note),
}

/// The objects of a file: documents of YAML, or JSON. The items of a List are objects of their own.
pub fn read(bytes: &[u8]) -> Result<Vec<Value>, Vec<Finding>> {
    // What a cluster prints as JSON may be longer than a file of a repository.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(items(value));
    }
    let (mut objects, mut findings) = (Vec::new(), Vec::new());
    for document in read_yaml(bytes) {
        match document {
            Ok(document) => objects.extend(items(node::json(&document))),
            Err(finding) => findings.push(finding.into()),
        }
    }
    if findings.is_empty() { Ok(objects) } else { Err(findings) }
}

/// The items of a List, or the object itself.
fn items(value: Value) -> Vec<Value> {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match value {
        Value::Array(items) => items.into_iter().flat_map(self::items).collect(),
        Value::Object(mut fields) if is_list => match fields.remove("items") {
            Some(Value::Array(items)) => items.into_iter().flat_map(self::items).collect(),
            _ => Vec::new(),
        },
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

/// The resource of an object. `namespace` is that of objects which name none.
pub(super) fn object(object: &Value, namespace: Option<&str>) -> Read {
    let word = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let kind_name = word(object, "kind").unwrap_or_else(|| "nothing with a `kind`".to_owned());
    let version = word(object, "apiVersion").unwrap_or_default();
    // A Gateway of the Gateway API is another kind.
    let kind = Kind::of_object(&version, &kind_name).filter(|kind| Kind::ALL.contains(kind));
    let Some(kind) = kind else { return Read::Other(kind_name) };
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let unusable = |what: &str, text: &str| {
        let about = format!("{kind_name} {}", what);
        Read::Unusable(Note { about, text: format!("is left out: {text}"), is_error: true })
    };
    let Some(name) = word(metadata, "name") else { return unusable("without a name", "give it one") };
    let Some(namespace) = word(metadata, "namespace").or(namespace.map(str::to_owned)) else {
        return unusable(&name, "it has no namespace; name it with `-n`");
    };
    let owner = metadata.get("ownerReferences").and_then(|owners| owners.get(0)).map(|owner| {
        let word = |field| word(owner, field).unwrap_or_default();
        format!("{} {}", word("kind"), word("name"))
    });
    let resource = Resource::of_named(kind, namespace, name, object);
    Read::Resource(Object { resource, owner })
}

impl Object {
    /// The warning that something else makes the object.
    pub(super) fn owner_note(&self) -> Option<Note> {
        let owner = self.owner.as_ref()?;
        let text = format!("was made by {owner}, which may change it back; keep one of both");
        Some(Note::about(&self.resource, text))
    }
}
