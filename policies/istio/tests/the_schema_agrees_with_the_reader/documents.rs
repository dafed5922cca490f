//! What the reader takes is valid by the schema, and the mistakes of form that it reports are not.

use std::{fs, path::Path};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::{reader, schema};

/// The parts of messages about the form of a document. A schema can say these.
const OF_FORM: [&str; 7] = [
    "is not a known field",
    "is required",
    "must be a map, not",
    "must be a list, not",
    "must be a string, not",
    "must be `true` or `false`, not",
    "must be a number, not",
];

fn validator() -> Validator {
    jsonschema::options().with_draft(Draft::Draft7).build(&schema()).unwrap()
}

/// The documents of the golden files and of the examples.
fn documents() -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sections = fs::read_dir(root.join("tests/golden")).unwrap().map(|section| section.unwrap().path());
    let directories = sections.chain([root.join("examples")]);
    let files = directories.flat_map(|directory| fs::read_dir(directory).unwrap());
    let files = files.map(|file| file.unwrap().path());
    let files = files.filter(|file| {
        let name = file.to_str().unwrap();
        name.ends_with(".in.yaml") || (name.contains("/examples/") && name.ends_with(".yaml"))
    });
    files.flat_map(|file| reader::applications(&fs::read(file).unwrap())).collect()
}

/// A document for each entry of a document. The variants of a small one take less time.
fn of_one_entry(document: &Value) -> Vec<Value> {
    let mut small = Vec::new();
    for (section, entries) in document["spec"].as_object().into_iter().flatten() {
        for entry in entries.as_array().unwrap_or(&vec![entries.clone()]) {
            let mut other = document.clone();
            other["spec"] = json!({section.as_str(): [entry]});
            small.push(other);
        }
    }
    small
}

/// The document with one value changed: each value in turn, in each of some ways.
fn variants(document: &Value) -> Vec<Value> {
    let mut places = Vec::new();
    pointers(document, String::new(), &mut places);
    let mut variants = Vec::new();
    for pointer in &places {
        let mut change = |change: &dyn Fn(&mut Value)| {
            let mut variant = document.clone();
            change(variant.pointer_mut(pointer).unwrap());
            variants.push(variant);
        };
        if !pointer.is_empty() {
            for other in [json!({}), json!([]), json!("zzzz"), json!(7), json!(true), json!(null)] {
                change(&|value| *value = other.clone());
            }
        }
        if let Some(Value::Object(fields)) = document.pointer(pointer) {
            change(&|value| value["zzzzzzzz"] = json!("z"));
            for name in fields.keys() {
                change(&|value| drop(value.as_object_mut().unwrap().remove(name)));
            }
        }
    }
    variants
}

fn pointers(value: &Value, pointer: String, found: &mut Vec<String>) {
    let escaped = |name: &String| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(name, value)| pointers(value, format!("{pointer}/{}", escaped(name)), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| pointers(value, format!("{pointer}/{i}"), found));
        }
        _ => {}
    }
    found.push(pointer);
}

/// Checks a document with both.
fn compare(validator: &Validator, document: &Value) {
    let errors: Vec<_> = reader::findings(document).into_iter().filter(reader::is_error).collect();
    // Any other kind is the business of others.
    let is_ours = document["kind"] == "AppConfiguration";
    let is_valid = validator.is_valid(document);
    if errors.is_empty() && !is_valid {
        let said: Vec<_> = validator.iter_errors(document).map(|error| error.to_string()).collect();
        panic!("{document}\n{said:#?}");
    }
    let of_form = errors.iter().find(|error| OF_FORM.iter().any(|form| error.reason.starts_with(form)));
    if let Some(error) = of_form.filter(|_| is_ours) {
        assert!(!is_valid, "{document}\n{error}");
    }
}

#[test]
fn documents_are_as_valid_by_the_schema_as_for_the_reader() {
    let (validator, documents) = (validator(), documents());
    assert!(documents.len() > 70, "{} documents", documents.len());
    for document in &documents {
        compare(&validator, document);
    }
}

/// Those of documents that are right, so that the one mistake is what is refused.
#[test]
fn and_so_is_each_variant_of_a_valid_document() {
    let validator = validator();
    let documents = documents();
    let mut valid: Vec<_> = documents.iter().flat_map(of_one_entry).collect();
    valid.retain(|document| !reader::findings(document).iter().any(reader::is_error));
    let variants: Vec<_> = valid.iter().flat_map(variants).collect();
    assert!(variants.len() > 10_000, "{} variants", variants.len());
    for variant in &variants {
        compare(&validator, variant);
    }
}

#[test]
fn an_object_of_others_is_no_mistake() {
    let validator = validator();
    let document = |version: &str, kind: &str| json!({"apiVersion": version, "kind": kind, "data": {}});
    assert!(validator.is_valid(&document("v1", "ConfigMap")));
    assert!(!validator.is_valid(&document("hfi.dev/v2", "AppConfiguration")));
    assert!(!validator.is_valid(&document("hfi.dev/v1", "AppConfiguration")));
}

/// Editors of the older draft pass over what stands beside a reference.
#[test]
fn beside_a_reference_are_only_words() {
    let schema = schema();
    let mut places = Vec::new();
    pointers(&schema, String::new(), &mut places);
    for pointer in places {
        let part = schema.pointer(&pointer).unwrap();
        let Some(fields) = part.as_object().filter(|fields| fields.contains_key("$ref")) else { continue };
        for name in fields.keys() {
            assert!(["$ref", "description", "default"].contains(&name.as_str()), "{pointer}: {name}");
        }
    }
}
