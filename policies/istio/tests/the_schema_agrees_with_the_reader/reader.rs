//! The reader of applications, asked with values of JSON.

use istio_config::{Finding, Level, written};
use policies::reading::{MapEntry, Node, Place, Value as Yaml, read_yaml};
use serde_json::{Map, Value};

/// What the reader says of a document.
pub(crate) fn findings(document: &Value) -> Vec<Finding> {
    written::read(&node(document)).findings
}

/// The node of a value, as YAML would give it. Writing and reading text takes much longer.
fn node(value: &Value) -> Node {
    let value = match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Bool(*value),
        Value::Number(number) => Yaml::Number(number.to_string()),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Array(items) => Yaml::List(items.iter().map(node).collect()),
        Value::Object(fields) => {
            let place = Place::default();
            let entry = |(key, value): (&String, _)| MapEntry { key: key.clone(), place, value: node(value) };
            Yaml::Map(fields.iter().map(entry).collect())
        }
    };
    Node { place: Place::default(), value }
}

/// True if the reader refuses the document for it.
pub(crate) fn is_error(finding: &Finding) -> bool {
    finding.level == Level::Error
}

/// The documents of a file of the reader's kind.
pub(crate) fn applications(file: &[u8]) -> Vec<Value> {
    let nodes = read_yaml(file).into_iter().map(Result::unwrap);
    nodes.filter(written::is_application).map(|node| json(&node)).collect()
}

fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => (*value).into(),
        // A number that JSON does not have is a text.
        Yaml::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Yaml::String(text) => text.as_str().into(),
        Yaml::List(items) => items.iter().map(json).collect(),
        Yaml::Map(fields) => {
            fields.iter().map(|field| (field.key.clone(), json(&field.value))).collect::<Map<_, _>>().into()
        }
    }
}
