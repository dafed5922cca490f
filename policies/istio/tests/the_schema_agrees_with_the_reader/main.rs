//! The JSON Schema and the reader of applications agree: `places` compares the fields at each place, `words` the
//! values that fields take, and `documents` tries documents and their variants with both.
#![cfg(test)]

mod documents;
mod places;
mod reader;
mod words;

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// What the schema says of a place, its references and alternatives put together.
#[derive(Clone, Debug, Default)]
struct Place {
    /// The definitions that lead here: a place within itself is looked at once.
    references: BTreeSet<String>,
    /// True if other fields than `fields` are refused.
    is_closed: bool,
    fields: Vec<(String, Value)>,
    items: Vec<Value>,
    /// The values of a map whose keys are free.
    values: Vec<Value>,
    /// Alternatives without fields or items: words and numbers.
    plain: Vec<Value>,
}

impl Place {
    fn of(part: &Value, references: &BTreeSet<String>) -> Self {
        let mut place = Self { references: references.clone(), ..Self::default() };
        place.add(part);
        place
    }

    fn add(&mut self, part: &Value) {
        if let Some(reference) = part["$ref"].as_str()
            && self.references.insert(reference.to_owned())
        {
            self.add(definition(reference));
        }
        part["anyOf"].as_array().into_iter().flatten().for_each(|alternative| self.add(alternative));
        let fields = part["properties"].as_object().into_iter().flatten();
        self.fields.extend(fields.map(|(name, part)| (name.clone(), part.clone())));
        self.items.extend(part.get("items").cloned());
        match &part["additionalProperties"] {
            Value::Bool(false) => self.is_closed = true,
            Value::Object(_) => self.values.push(part["additionalProperties"].clone()),
            _ => {}
        }
        if part.get("enum").is_some() || part.get("minimum").is_some() {
            self.plain.push(part.clone());
        }
    }
}

fn schema() -> Value {
    serde_json::from_str(&istio_config::schema()).unwrap()
}

fn definition(reference: &str) -> &'static Value {
    use std::sync::LazyLock;
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema);
    let found = SCHEMA.pointer(reference.strip_prefix('#').unwrap());
    found.unwrap_or_else(|| panic!("{reference} is not defined"))
}

/// A step from a place to one within it.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item,
}

/// A document that has only this value, at the end of a way.
fn document(way: &[Step], value: Value) -> Value {
    let wrap = |inner, step: &Step| match step {
        Step::Field(name) => json!({name.as_str(): inner}),
        Step::Item => json!([inner]),
    };
    way.iter().rev().fold(value, wrap)
}

/// The end of a way, as a finding names it.
fn path(way: &[Step]) -> String {
    let text = |step: &Step| match step {
        Step::Field(name) => format!(".{name}"),
        Step::Item => "[0]".to_owned(),
    };
    way.iter().map(text).collect::<String>().trim_start_matches('.').to_owned()
}

/// Each place of an application, with the way to it. What is under Istio's own fields is none.
fn each_place(look: &mut impl FnMut(&[Step], &Place)) {
    let application = Place::of(definition("#/definitions/appConfiguration"), &BTreeSet::new());
    walk(&mut Vec::new(), &application, look);
}

fn walk(way: &mut Vec<Step>, place: &Place, look: &mut impl FnMut(&[Step], &Place)) {
    look(way, place);
    let fields = place.fields.iter().map(|(name, part)| (Step::Field(name.clone()), part));
    let items = place.items.iter().map(|part| (Step::Item, part));
    // The key is a port, a subset, a header and a label at once.
    let values = place.values.iter().map(|part| (Step::Field("8080".to_owned()), part));
    for (step, part) in fields.chain(items).chain(values) {
        let reference = part["$ref"].as_str();
        if reference.is_some_and(|reference| place.references.contains(reference)) {
            continue;
        }
        way.push(step);
        walk(way, &Place::of(part, &place.references), look);
        way.pop();
    }
}
