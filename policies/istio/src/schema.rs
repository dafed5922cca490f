//! The JSON Schema of documents, for editors.
//!
//! `schema/` has a file for each section with its attributes, and files of what sections share. A test holds them
//! together with the readers in `written`.

use serde_json::{Map, Value, json};

use crate::resource::Kind;

const APPLICATION: &str = include_str!("schema/application.json");
/// The fields that every entry may have.
const COMMON: &str = include_str!("schema/entry.json");
const SHARED: [&str; 2] = [include_str!("schema/binding.json"), include_str!("schema/values.json")];

/// The schema of documents of all kinds, as JSON of draft-07.
pub fn schema() -> String {
    let mut schema = object(policies::SCHEMA);
    if let Some(Value::Object(definitions)) = schema.get_mut("definitions") {
        definitions.extend(SHARED.into_iter().flat_map(object));
        let mut application = object(APPLICATION);
        if let Some(Value::Object(sections)) =
            application.get_mut("properties").and_then(|fields| fields.pointer_mut("/spec/properties"))
        {
            for kind in Kind::ALL {
                add(kind, sections, definitions);
            }
        }
        definitions.insert("appConfiguration".to_owned(), application.into());
    }
    format!("{:#}\n", Value::Object(schema))
}

/// Adds a section, and the definitions that it refers to.
fn add(kind: Kind, sections: &mut Map<String, Value>, definitions: &mut Map<String, Value>) {
    let mut parts = object(attributes(kind));
    let Some(Value::Object(written)) = parts.remove("entry") else { return };
    let place = format!("{}Entry", kind.section());
    let entry = json!({"$ref": format!("#/definitions/{place}")});
    let mut section = json!({
        "description": written.get("description"),
        "anyOf": [entry, {"type": "array", "minItems": 1, "items": entry}],
    });
    if kind.in_snake_case() != kind.section() {
        let hidden = json!({"anyOf": section.get("anyOf"), "doNotSuggest": true});
        sections.insert(kind.in_snake_case().to_owned(), hidden);
    }
    definitions.extend(parts);
    definitions.insert(place, closed(written));
    sections.insert(kind.section().to_owned(), section.take());
}

/// An entry: its own attributes, and those of all entries. What is required of it does not hold for one that has only
/// Istio's own fields.
fn closed(mut written: Map<String, Value>) -> Value {
    let common = object(COMMON);
    let elsewhere = ["applyTo", "namespaces"].into_iter().map(str::to_owned);
    let of_all: Vec<_> = common.keys().cloned().chain(elsewhere).collect();
    let description = written.remove("description");
    let mut properties = common;
    if let Some(Value::Object(own)) = written.remove("properties") {
        properties.extend(own);
    }
    json!({
        "type": "object",
        "description": description,
        "additionalProperties": false,
        "properties": properties,
        "if": {"required": ["spec"], "propertyNames": {"enum": of_all}},
        "else": written,
    })
}

/// The attributes of the entries of a section, and the definitions that they need.
const fn attributes(kind: Kind) -> &'static str {
    match kind {
        Kind::DestinationRule => include_str!("schema/destination_rule.json"),
        Kind::VirtualService | Kind::HttpRoute | Kind::GrpcRoute => {
            include_str!("schema/virtual_service.json")
        }
        Kind::ServiceEntry => include_str!("schema/service_entry.json"),
        Kind::Gateway => include_str!("schema/gateway.json"),
        Kind::EnvoyFilter => include_str!("schema/envoy_filter.json"),
        Kind::ProxyConfig => include_str!("schema/proxy_config.json"),
        Kind::Sidecar => include_str!("schema/sidecar.json"),
        Kind::AuthorizationPolicy => include_str!("schema/authorization_policy.json"),
        Kind::PeerAuthentication => include_str!("schema/peer_authentication.json"),
        Kind::RequestAuthentication => include_str!("schema/request_authentication.json"),
        Kind::Telemetry => include_str!("schema/telemetry.json"),
    }
}

/// A file of ours. Tests read all of them, so that none is ever the default.
fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}
