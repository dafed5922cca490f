//! The schema of policies, for the OpenAPI document: that of the crate `policies`.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// The place of its parts in the OpenAPI document, and the beginning of their names.
const PLACE: &str = "#/components/schemas/";
const PREFIX: &str = "policy.";

/// One policy.
pub(crate) fn one(schemas: &mut SchemaGenerator) -> Schema {
    let text = policies::SCHEMA.replace("#/definitions/", &format!("{PLACE}{PREFIX}"));
    let parts = serde_json::from_str(&text).ok().and_then(|mut schema: Value| {
        match schema.get_mut("definitions").map(Value::take) {
            Some(Value::Object(parts)) => Some(parts),
            _ => None,
        }
    });
    // Guardrails are not written by HTTP.
    let parts = parts.into_iter().flatten().filter(|(name, _)| name != "guardrail");
    schemas.definitions_mut().extend(parts.map(|(name, part)| (format!("{PREFIX}{name}"), part)));
    json_schema!({"$ref": format!("{PLACE}{PREFIX}faultPolicy")})
}

/// One policy, or a list, which may begin with the directories of what it creates.
pub(crate) fn many(schemas: &mut SchemaGenerator) -> Schema {
    let one = one(schemas);
    let folders = json!({
        "type": "object",
        "required": ["kind", "folders"],
        "properties": {
            "kind": {"const": "Folders"},
            "folders": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        },
    });
    json_schema!({"anyOf": [one, {"type": "array", "items": {"anyOf": [one, folders]}, "minItems": 1}]})
}

/// The schema of `metadata.name`.
pub(crate) fn name() -> Value {
    json!({"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"})
}
