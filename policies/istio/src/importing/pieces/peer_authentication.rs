//! PeerAuthentications.

use serde_json::{Map, Value, json};

use super::{bindings, bound, text};
use crate::importing::header::Header;

pub(super) fn pieces(spec: &Value, header: &Header) -> Vec<Value> {
    let mode = |value: &Value| text(value, "mode").map(|mode| json!(mode.to_ascii_lowercase()));
    let Some(mtls) = spec.get("mtls").and_then(mode) else { return Vec::new() };
    let ports = spec.get("portLevelMtls").and_then(Value::as_object).into_iter().flatten();
    let ports: Map<_, _> = ports.filter_map(|(port, value)| Some((port.clone(), mode(value)?))).collect();
    let mut attributes = json!({"mtls": mtls});
    if !ports.is_empty() {
        attributes = json!({"mtls": mtls, "ports": ports});
    }
    bound(&bindings(spec, header), &[attributes])
}
