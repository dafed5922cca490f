//! Values against the schema: `META01` to `META05`.

use policies::reading::closest;
use serde_json::Value;

use super::{
    mistake::Mistake,
    node::{Node, Type},
    pattern,
};
use crate::{
    field::Field,
    values::{Duration, DurationError},
};

/// All mistakes of a value, whose schema is the node of this number.
pub(super) fn mistakes(nodes: &'static [Node], node: usize, field: &Field) -> Vec<Mistake> {
    let mut found = Checker { nodes, found: Vec::new() };
    found.value(node, field);
    found.found
}

/// The most mistakes of a resource that are told.
const MAX_MISTAKES: usize = 1_000;

struct Checker {
    nodes: &'static [Node],
    found: Vec<Mistake>,
}

impl Checker {
    fn add(
        &mut self,
        rule: &'static str,
        field: &Field,
        reason: impl Into<String>,
        right: impl Into<String>,
    ) {
        if self.found.len() == MAX_MISTAKES {
            return;
        }
        let field = field.path();
        self.found.push(Mistake { rule, field, reason: reason.into(), right: right.into() });
    }

    fn value(&mut self, node: usize, field: &Field) {
        let Some(node) = self.nodes.get(node) else { return };
        // Null is an absent field for the API server; in a list it is an item.
        if field.value().is_null() && (node.nullable || !field.is_item()) {
            return;
        }
        if node.int_or_string {
            if !(field.value().is_string() || Type::Integer.fits(field.value())) {
                self.add("META02", field, "is neither a whole number nor a text", "");
            }
        } else if let Some(kind) = node.kind
            && !kind.fits(field.value())
        {
            let remedy = match (kind, field.value()) {
                (Type::String, Value::Number(_) | Value::Bool(_)) => format!("write `\"{}\"`", field.value()),
                (Type::Integer | Type::Number, Value::String(text)) if text.parse::<f64>().is_ok() => {
                    format!("write `{text}` without quotes")
                }
                _ => String::new(),
            };
            return self.add("META02", field, format!("is not {}", kind.name()), remedy);
        }
        match field.value() {
            Value::String(text) => self.text(node, field, text),
            Value::Number(number) => self.number(node, field, number.as_f64()),
            Value::Array(_) => self.list(node, field),
            Value::Object(_) => self.map(node, field),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(&mut self, node: &Node, field: &Field, text: &str) {
        if !node.words.is_empty() && !node.words.iter().any(|word| word == text) {
            let words: Vec<_> = node.words.iter().filter_map(Value::as_str).collect();
            let remedy = match closest(text, &words) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("write one of {}", words.join(", ")),
            };
            self.add("META02", field, format!("does not know the value `{text}`"), remedy);
        }
        self.size(field, text.chars().count(), "characters", node.min_length, node.max_length);
        if node.duration
            && let Err(error) = text.parse::<Duration>()
        {
            let rule = match error {
                DurationError::TooShort => "DUR01",
                DurationError::Fraction => "DUR02",
                DurationError::Syntax | DurationError::TooLong => "DUR03",
            };
            self.add(rule, field, error.to_string(), "");
        }
        if let Some(pattern) = &node.pattern
            && let Some(words) = pattern::misses(pattern, text)
        {
            self.add("META02", field, format!("`{text}` is not {words}"), "");
        }
    }

    fn number(&mut self, node: &Node, field: &Field, number: Option<f64>) {
        let Some(number) = number else { return };
        let (least, most) = (node.minimum.unwrap_or(f64::MIN), node.maximum.unwrap_or(f64::MAX));
        if number < least {
            self.add("META02", field, format!("is {number}"), format!("write {least} or more"));
        } else if number > most {
            self.add("META02", field, format!("is {number}"), format!("write {most} or less"));
        }
    }

    fn list(&mut self, node: &Node, field: &Field) {
        self.size(field, field.len(), "items", node.min_items, node.max_items);
        for item in field.items() {
            if let Some(schema) = node.items {
                self.value(schema, &item);
            }
        }
    }

    fn map(&mut self, node: &'static Node, field: &Field) {
        self.size(field, field.len(), "entries", node.min_properties, node.max_properties);
        for name in &node.required {
            if !field.has(name) {
                self.add("META03", &field.get(name), "is missing", "Istio requires it");
            }
        }
        for names in &node.at_most_one {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            if let [first, others @ ..] = &*field.present(&names)
                && !others.is_empty()
            {
                let others = others.join("` and `");
                self.add("META04", field, format!("has `{first}` beside `{others}`"), "keep one of them");
            }
        }
        for (name, value) in field.entries() {
            if let Some(&schema) = node.properties.get(name).or(node.values.as_ref()) {
                self.value(schema, &value);
            } else if !node.any_fields && self.found.len() < MAX_MISTAKES {
                let known: Vec<_> = node.properties.keys().map(String::as_str).collect();
                let remedy = match closest(name, &known) {
                    Some(right) => format!("did you mean `{right}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                self.add("META01", &value, "is not a field", remedy);
            }
        }
    }

    fn size(&mut self, field: &Field, size: usize, unit: &str, least: Option<usize>, most: Option<usize>) {
        if let Some(least) = least.filter(|&least| size < least) {
            self.add("META05", field, format!("has {size} {unit}"), format!("write {least} or more"));
        }
        if let Some(most) = most.filter(|&most| size > most) {
            self.add("META05", field, format!("has {size} {unit}"), format!("write {most} or fewer"));
        }
    }
}
