//! ServiceEntries.

use serde_json::{Value, json};

use super::{get, list, object, text};
use crate::values::Protocol;

pub(super) fn pieces(spec: &Value) -> Vec<Value> {
    let endpoints: Vec<_> =
        list(spec, "endpoints").iter().filter_map(|endpoint| get(endpoint, "address")).collect();
    let is_in_mesh = text(spec, "location") == Some("MESH_INTERNAL");
    vec![object([
        ("hosts", get(spec, "hosts")),
        ("ports", Some(list(spec, "ports").iter().map(port).collect())),
        ("addresses", get(spec, "addresses")),
        ("endpoints", (!endpoints.is_empty()).then(|| json!(endpoints))),
        ("inMesh", is_in_mesh.then_some(Value::Bool(true))),
        ("namespaces", get(spec, "exportTo").filter(|namespaces| *namespaces != json!(["."]))),
    ])]
}

/// A port; its number alone where that says all.
fn port(port: &Value) -> Value {
    let number = port.get("number").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let short = number.filter(|number| {
        let protocol = Protocol::of_port(*number);
        let name = format!("{}-{number}", protocol.in_port_name());
        *port == json!({"name": name, "number": number, "protocol": protocol.name()})
    });
    short.map_or_else(|| port.clone(), |number| json!(number))
}
