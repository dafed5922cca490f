//! Resources of Istio, and their text.

mod kind;
mod live;
mod places;
mod raw;

use std::collections::BTreeMap;

use policies::{
    editing::new_document,
    reading::{MapEntry, Node, Place, Value as Yaml},
};
use serde_json::{Value, json};

pub use kind::Kind;
pub use places::Places;
pub use raw::Raw;
pub(crate) use raw::application;

/// An object: its namespace, its kind and its name.
pub type ObjectId = (String, Kind, String);

/// A resource of Istio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub kind: Kind,
    pub namespace: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub spec: Value,
}

impl Resource {
    /// The object that it is.
    pub fn id(&self) -> ObjectId {
        (self.namespace.clone(), self.kind, self.name.clone())
    }

    /// Its place among the others of a rendering: by namespace, kind and name.
    pub fn order(&self) -> (&str, Kind, &str) {
        (&self.namespace, self.kind, &self.name)
    }

    /// The whole object. Maps without entries are left out.
    pub fn object(&self) -> Value {
        let Self { kind, namespace, name, labels, annotations, spec } = self;
        let mut metadata = json!({"name": name, "namespace": namespace});
        for (key, map) in [("labels", labels), ("annotations", annotations)] {
            if !map.is_empty()
                && let Some(metadata) = metadata.as_object_mut()
            {
                metadata.insert(key.to_owned(), json!(map));
            }
        }
        json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata, "spec": spec})
    }

    /// The object as a document of YAML with sorted keys.
    pub fn to_yaml(&self) -> String {
        text(&self.object())
    }

    /// The object as JSON with sorted keys.
    pub fn to_json(&self) -> String {
        format!("{:#}", self.object())
    }
}

/// A value as a document of YAML with sorted keys.
pub(crate) fn text(value: &Value) -> String {
    new_document(&yaml(value).value)
}

/// A value of JSON as one of YAML, with its keys in order.
pub(crate) fn yaml(value: &Value) -> Node {
    let value = match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Bool(*value),
        Value::Number(number) => Yaml::Number(number.to_string()),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Array(items) => Yaml::List(items.iter().map(yaml).collect()),
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            let entry = |(key, value): (&String, &Value)| MapEntry {
                place: Place::default(),
                key: key.clone(),
                value: yaml(value),
            };
            Yaml::Map(sorted.into_iter().map(entry).collect())
        }
    };
    Node { place: Place::default(), value }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{Kind, Resource};

    #[test]
    fn a_resource_is_written_with_its_keys_in_order() {
        let resource = Resource {
            kind: Kind::PeerAuthentication,
            namespace: "shop".to_owned(),
            name: "reviews-peer-authentication".to_owned(),
            labels: BTreeMap::from([("b".to_owned(), "on".to_owned()), ("a".to_owned(), "1".to_owned())]),
            annotations: BTreeMap::new(),
            spec: json!({"portLevelMtls": {"9102": {"mode": "PERMISSIVE"}}, "mtls": {"mode": "STRICT"}}),
        };
        assert_eq!(
            resource.to_yaml(),
            r#"apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  labels:
    a: "1"
    b: "on"
  name: reviews-peer-authentication
  namespace: shop
spec:
  mtls:
    mode: STRICT
  portLevelMtls:
    "9102":
      mode: PERMISSIVE
"#
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&resource.to_json()).unwrap(),
            resource.object()
        );
    }
}
