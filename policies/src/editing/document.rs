//! One document, with all that is written in it.

use std::{fmt, sync::Arc};

use serde::Serialize;

use super::{same::same, stream::field, style::Style};
use crate::{
    language::{Policy, PolicyName},
    reading::{self, Context, Finding, MapEntry, Node, Outcome, Place, Value, read_document},
    repository::FieldPlaces,
};

/// A valid document, and the node that it was read from.
#[derive(Clone, Debug)]
pub struct Document {
    index: usize,
    kind: &'static str,
    name: Option<PolicyName>,
    policy: Option<Arc<Policy>>,
    node: Node,
}

/// A mistake in what was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mistake {
    /// The document, counted from 0.
    pub document: usize,
    #[serde(flatten)]
    pub finding: Finding,
}

impl Document {
    /// Reads a node; one that is no document of hfi is a mistake too.
    pub(super) fn read(index: usize, node: Node, context: &Context) -> Result<Self, Vec<Mistake>> {
        let mistake = |finding| Mistake { document: index, finding };
        match read_document(&node, context) {
            Outcome::Valid { kind, name, document } => {
                let policy = match document {
                    reading::Document::Policy(policy) => Some(Arc::from(policy)),
                    reading::Document::Guardrail(_) | reading::Document::Halt(_) => None,
                };
                Ok(Self { index, kind: kind.name, name, policy, node })
            }
            Outcome::Invalid(invalid) => Err(invalid.findings.into_iter().map(mistake).collect()),
            Outcome::Foreign => {
                let message = "is no document of hfi: leave it out".to_owned();
                Err(vec![mistake(Finding { place: node.place, field: String::new(), message })])
            }
            Outcome::Elsewhere(kind) => {
                let name = kind.name;
                let message =
                    format!("`{name}` is not written through this API: leave it out, and commit it by Git");
                Err(vec![mistake(Finding { place: node.place, field: "kind".to_owned(), message })])
            }
        }
    }

    /// Its place among the documents of the body, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its name; `None` if documents of the kind have none.
    pub fn name(&self) -> Option<&PolicyName> {
        self.name.as_ref()
    }

    /// The policy; `None` for a document of another kind.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// All that is written, with its places in the body.
    pub fn node(&self) -> &Node {
        &self.node
    }

    pub fn place(&self) -> Place {
        self.node.place
    }

    /// A mistake at this field, such as `spec.rules[0].fault`; of one that is not written, at its parent.
    pub fn mistake(&self, field: &str, message: impl fmt::Display) -> Mistake {
        let place = FieldPlaces::of(&self.node).at(field).unwrap_or(self.node.place);
        let finding = Finding { place, field: field.to_owned(), message: message.to_string() };
        Mistake { document: self.index, finding }
    }

    /// True if `spec.selector` is written.
    pub fn has_selector(&self) -> bool {
        let selector = field(&self.node, "spec").and_then(|spec| field(spec, "selector"));
        selector.is_some_and(|selector| selector.value != Value::Null)
    }

    /// The text of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        let annotations = field(&self.node, "metadata").and_then(|metadata| field(metadata, "annotations"));
        match &field(annotations?, name)?.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The document with this annotation, or without it.
    pub fn with_annotation(&self, name: &str, value: Option<&str>) -> Self {
        let mut document = self.clone();
        let Some(metadata) = field_mut(&mut document.node, "metadata") else { return document };
        // What else than a map stands there has no meaning.
        let is_map = |node: &&Node| matches!(node.value, Value::Map(_));
        let empty = Node { place: metadata.place, value: Value::Map(Vec::new()) };
        let mut annotations = field(metadata, "annotations").filter(is_map).cloned().unwrap_or(empty);
        match value {
            Some(value) => set(&mut annotations, name, Value::String(value.to_owned()), None),
            None => unset(&mut annotations, name),
        }
        if annotations.value == Value::Map(Vec::new()) {
            unset(metadata, "annotations");
        } else {
            set(metadata, "annotations", annotations.value, None);
        }
        // One of them is a part of the content.
        Self::read(self.index, document.node.clone(), &Context::default()).unwrap_or(document)
    }

    /// The document with `suspend` so; where it is not written and `false`, it stays so.
    pub fn with_suspend(&self, suspend: bool) -> Self {
        let mut document = self.clone();
        let Some(spec) = field_mut(&mut document.node, "spec") else { return document };
        if suspend || field(spec, "suspend").is_some() {
            set(spec, "suspend", Value::Bool(suspend), Some("rules"));
        }
        document.policy =
            self.policy.as_ref().map(|policy| Arc::new(Policy { suspend, ..Policy::clone(policy) }));
        document
    }

    /// The document with this `spec.expiresAt`.
    pub fn with_expiry(&self, expires_at: &str) -> Self {
        let mut document = self.clone();
        let Some(spec) = field_mut(&mut document.node, "spec") else { return document };
        set(spec, "expiresAt", Value::String(expires_at.to_owned()), Some("rules"));
        // A time that is none is as wrong in a document as it is here.
        Self::read(self.index, document.node.clone(), &Context::default()).unwrap_or(document)
    }

    /// The document with this namespace as its selector, where it has none.
    pub fn with_selector_namespace(&self, namespace: &str) -> Result<Self, Vec<Mistake>> {
        let mut node = self.node.clone();
        if let Some(spec) = field_mut(&mut node, "spec").filter(|_| !self.has_selector()) {
            unset(spec, "selector");
            let place = spec.place;
            let namespace = Node { place, value: Value::String(namespace.to_owned()) };
            let entry = MapEntry { place, key: "namespace".to_owned(), value: namespace };
            if let Value::Map(entries) = &mut spec.value {
                let value = Node { place, value: Value::Map(vec![entry]) };
                entries.insert(0, MapEntry { place, key: "selector".to_owned(), value });
            }
        }
        Self::read(self.index, node, &Context::default())
    }

    /// True if both have the same content. Metadata other than the name and
    /// [`RESTARTED_AT`](crate::reading::RESTARTED_AT) is no content.
    pub fn same_content(&self, other: &Self) -> bool {
        let spec = |document: &Self| {
            field(&document.node, "spec").map(|spec| spec.value.clone()).unwrap_or(Value::Null)
        };
        let is_spec_same = match (&self.policy, &other.policy) {
            (Some(policy), Some(other)) => policy == other,
            _ => same(&spec(self), &spec(other)),
        };
        self.kind == other.kind && self.name == other.name && is_spec_same
    }

    /// True if both mean the same, whatever defaults they spell out, and have the same metadata.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let metadata =
            |document: &Self| field(&document.node, "metadata").map(|metadata| metadata.value.clone());
        let is_same = match (metadata(self), metadata(other)) {
            (Some(one), Some(other)) => same(&one, &other),
            (one, other) => one == other,
        };
        is_same && self.policy == other.policy
    }

    /// JSON of all that is written, in the order in which it is written.
    pub fn to_json(&self) -> String {
        Style::new(true).document(&self.node.value) + "\n"
    }
}

pub(super) fn field_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
}

/// Sets a field; a new one stands before another, or at the end.
fn set(node: &mut Node, key: &str, value: Value, before: Option<&str>) {
    let place = node.place;
    if let Some(field) = field_mut(node, key) {
        field.value = value;
    } else if let Value::Map(entries) = &mut node.value {
        let at = entries.iter().position(|entry| Some(entry.key.as_str()) == before).unwrap_or(entries.len());
        entries.insert(at, MapEntry { place, key: key.to_owned(), value: Node { place, value } });
    }
}

fn unset(node: &mut Node, key: &str) {
    if let Value::Map(entries) = &mut node.value {
        entries.retain(|entry| entry.key != key);
    }
}
