//! Resources as an API server has them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Kind, Resource};

/// What `kubectl apply` writes for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Resource {
    /// The resource of an object that has a name and a namespace, if it is of a kind that is rendered.
    pub fn of_object(object: &Value) -> Option<Self> {
        let word = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
        let kind = Kind::of_object(&word(object, "apiVersion")?, &word(object, "kind")?)?;
        let metadata = object.get("metadata")?;
        Some(Self::of_named(kind, word(metadata, "namespace")?, word(metadata, "name")?, object))
    }

    /// The resource of an object that is known so far.
    pub(crate) fn of_named(kind: Kind, namespace: String, name: String, object: &Value) -> Self {
        let texts = |field: &str| -> BTreeMap<String, String> {
            let entries = object.get("metadata").and_then(|metadata| metadata.get(field)?.as_object());
            let entries = entries.into_iter().flatten();
            entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
        };
        let mut annotations = texts("annotations");
        annotations.remove(LAST_APPLIED);
        let spec = object.get("spec").filter(|spec| !spec.is_null()).cloned();
        let spec = spec.unwrap_or_else(|| Value::Object(Map::new()));
        Self { kind, namespace, name, labels: texts("labels"), annotations, spec }
    }
}
