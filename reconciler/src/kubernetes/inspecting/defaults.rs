//! The values that an API server gives to fields that an object lacks.

use serde_json::{Map, Value};

/// The defaults of a kind, as the server describes it in OpenAPI.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    schema: Value,
}

impl Defaults {
    /// Those of a kind in a document of OpenAPI.
    pub(super) fn of(document: &Value, kind: &str) -> Self {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let is_its = |schema: &&Value| {
            let names = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            names.into_iter().flatten().any(|name| name.get("kind").is_some_and(|named| named == kind))
        };
        let found = schemas.into_iter().flat_map(Map::values).find(is_its);
        Self { schema: found.cloned().unwrap_or_default() }
    }

    /// Gives them to the `spec` of an object.
    pub(crate) fn fill(&self, spec: &mut Value) {
        if let Some(schema) = self.schema.pointer("/properties/spec") {
            fill(spec, schema);
        }
    }
}

fn fill(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                if let Some(default) = property.get("default").filter(|_| !fields.contains_key(name)) {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(field) = fields.get_mut(name) {
                    fill(field, property);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| fill(item, schema));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Defaults;

    #[test]
    fn fields_that_lack_get_their_default_at_any_depth() {
        let kind = json!([{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "version": "v1"}]);
        let backend = json!({"properties": {"weight": {"default": 1}, "name": {}}});
        let rules = json!({"items": {"properties": {"backendRefs": {"items": backend}}}});
        let schema = json!({
            "x-kubernetes-group-version-kind": kind,
            "properties": {"spec": {"properties": {"rules": rules, "mode": {"default": "a"}}}},
        });
        let document = json!({"components": {"schemas": {"other": {}, "route": schema}}});
        let mut spec = json!({"rules": [{"backendRefs": [{"name": "a"}, {"name": "b", "weight": 9}]}]});
        Defaults::of(&document, "GRPCRoute").fill(&mut spec);
        assert_eq!(spec["mode"], json!(null));
        Defaults::of(&document, "HTTPRoute").fill(&mut spec);
        let backends = json!([{"name": "a", "weight": 1}, {"name": "b", "weight": 9}]);
        assert_eq!(spec, json!({"mode": "a", "rules": [{"backendRefs": backends}]}));
    }
}
