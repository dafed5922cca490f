//! The JSON Schema and the reader know the same fields.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::collections::BTreeSet;

use policies::File;
use serde_json::Value;

/// The fields that the reader knows where `yaml` has `zzzzzzzz`, as it lists them itself.
fn known_to_the_reader(yaml: &str) -> BTreeSet<String> {
    let file = File::read(yaml.as_bytes());
    let listed = file.findings.iter().find_map(|finding| finding.message.split_once("known here: "));
    let (_, listed) = listed.unwrap_or_else(|| panic!("{yaml}: {:#?}", file.findings));
    listed.split(", ").map(str::to_owned).collect()
}

/// The fields of the schema at a JSON pointer, without the camelCase names of those with `_`.
fn in_the_schema(pointer: &str) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(policies::SCHEMA).unwrap();
    let object = schema.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    assert_eq!(object["additionalProperties"], false, "{pointer}");
    let names: BTreeSet<_> = object["properties"].as_object().unwrap().keys().cloned().collect();
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let snake = |name: &String| {
        names.iter().any(|other| other != name && other.contains('_') && plain(other) == plain(name))
    };
    names.iter().filter(|name| name.contains('_') || !snake(name)).cloned().collect()
}

#[test]
fn at_every_place() {
    let rule = |rule: &str| format!("metadata: {{name: a}}\nspec: {{rules: [{rule}]}}");
    for (pointer, yaml) in [
        ("/definitions/faultPolicy", "zzzzzzzz: 1".to_owned()),
        ("/definitions/faultPolicy/properties/metadata", "metadata: {zzzzzzzz: 1}".to_owned()),
        ("/definitions/faultPolicy/properties/spec", "spec: {zzzzzzzz: 1}".to_owned()),
        (
            "/definitions/faultPolicy/properties/spec/properties/selector",
            "spec: {selector: {zzzzzzzz: 1}}".to_owned(),
        ),
        (
            "/definitions/faultPolicy/properties/spec/properties/destination",
            "spec: {destination: {zzzzzzzz: 1}}".to_owned(),
        ),
        ("/definitions/rule", rule("{zzzzzzzz: 1}")),
        ("/definitions/match", rule("{match: {zzzzzzzz: 1}}")),
        ("/definitions/matcher", rule("{match: {path: {zzzzzzzz: 1}}}")),
        ("/definitions/named", rule("{match: {query: [{zzzzzzzz: 1}]}}")),
        ("/definitions/match/properties/source", rule("{match: {source: {zzzzzzzz: 1}}}")),
        ("/definitions/fault", rule("{fault: {zzzzzzzz: 1}}")),
        ("/definitions/fault/properties/delay", rule("{fault: {delay: {zzzzzzzz: 1}}}")),
        ("/definitions/fault/properties/abort", rule("{fault: {abort: {zzzzzzzz: 1}}}")),
        ("/definitions/guardrail", "kind: Guardrail\nzzzzzzzz: 1".to_owned()),
        ("/definitions/guardrail/properties/spec", "kind: Guardrail\nspec: {zzzzzzzz: 1}".to_owned()),
        (
            "/definitions/guardrail/properties/spec/properties/istio",
            "kind: Guardrail\nspec: {istio: {zzzzzzzz: 1}}".to_owned(),
        ),
        ("/definitions/halt", "kind: Halt\nzzzzzzzz: 1".to_owned()),
        ("/definitions/halt/properties/spec", "kind: Halt\nspec: {zzzzzzzz: 1}".to_owned()),
    ] {
        assert_eq!(in_the_schema(pointer), known_to_the_reader(&yaml), "{pointer}");
    }
}

/// The kinds, as the reader lists them for a document of an unknown one.
#[test]
fn about_the_kinds() {
    let file = File::read(b"kind: zzzzzzzz");
    let listed = file.findings.iter().find_map(|finding| finding.message.strip_prefix("must be "));
    let kinds: BTreeSet<_> = listed.unwrap().split([',', ' ', '`']).filter(|word| word.len() > 2).collect();
    let schema: Value = serde_json::from_str(policies::SCHEMA).unwrap();
    let definitions = schema["definitions"].as_object().unwrap().values();
    let written = definitions.filter_map(|definition| definition["properties"]["kind"]["const"].as_str());
    assert_eq!(kinds, written.collect());
    // What editors offer for `kind`.
    let offered = schema["properties"]["kind"]["anyOf"][0]["enum"].as_array().unwrap().iter();
    assert_eq!(kinds, offered.map(|kind| kind.as_str().unwrap()).collect());
    for kind in kinds {
        assert!(policies::REFERENCE.contains(&format!("kind: {kind}")), "{kind} is not in REFERENCE.md");
    }
}
