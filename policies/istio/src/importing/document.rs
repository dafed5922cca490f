//! The text of a document.

use std::collections::BTreeMap;

use policies::{
    editing::new_document,
    reading::{MapEntry, Node, Place, Value as Yaml},
};
use serde_json::{Map, Value, json};

use super::{grouping::label, header::Header};
use crate::resource::{Kind, Resource, yaml};

/// A document that is being made.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    header: &'a Header,
    /// In the order of the sections.
    pub(super) entries: Vec<Drafted<'a>>,
}

/// A resource, and its entry.
#[derive(Debug)]
pub(super) struct Drafted<'a> {
    pub(super) resource: &'a Resource,
    pub(super) entry: Map<String, Value>,
}

/// The longest name of an entry.
const MAX_NAME: usize = 40;

impl<'a> Draft<'a> {
    pub(super) fn new(header: &'a Header) -> Self {
        Self { header, entries: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The application.
    pub(super) fn name(&self) -> &str {
        &self.header.name
    }

    /// Adds the entry of a resource. Several of a section have names.
    pub(super) fn add(&mut self, resource: &'a Resource, entry: Map<String, Value>) {
        self.entries.push(Drafted { resource, entry });
    }

    /// The paths of its entries, such as `spec.gateway[0]`.
    pub(super) fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        for (_, entries) in self.sections() {
            let is_alone = entries.len() == 1;
            fields.extend(entries.iter().enumerate().map(|(i, drafted)| {
                let section = drafted.resource.kind.section();
                if is_alone { format!("spec.{section}") } else { format!("spec.{section}[{i}]") }
            }));
        }
        fields
    }

    fn sections(&self) -> BTreeMap<Kind, Vec<&Drafted<'a>>> {
        let mut sections: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for drafted in &self.entries {
            sections.entry(drafted.resource.kind).or_default().push(drafted);
        }
        sections
    }

    /// The document.
    pub(super) fn text(&self) -> String {
        let mut spec = self.header.spec();
        for (kind, entries) in self.sections() {
            let named = names(&entries);
            let is_alone = entries.len() == 1;
            let entries = entries.iter().zip(named).map(|(drafted, name)| {
                let mut entry = drafted.entry.clone();
                if !is_alone {
                    entry.insert("name".to_owned(), json!(name));
                }
                Value::Object(entry)
            });
            let mut entries: Vec<_> = entries.collect();
            let section = match entries.pop() {
                Some(one) if is_alone => one,
                last => entries.into_iter().chain(last).collect(),
            };
            spec.insert(kind.section().to_owned(), section);
        }
        text(&self.header.document(spec))
    }
}

/// Names of entries that differ: those of their objects, as far as an entry may have them.
fn names(entries: &[&Drafted<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for Drafted { resource, .. } in entries {
        let name = label(&resource.name);
        let cut = |most: usize| {
            let cut: String = name.chars().take(most).collect();
            cut.trim_end_matches('-').to_owned()
        };
        let numbered = (2..).map(|number| format!("{}-{number}", cut(MAX_NAME - 8)));
        let free = [cut(MAX_NAME)].into_iter().chain(numbered).find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

/// The keys that come first, and the one that comes last. Between them are the sections, and attributes.
const FIRST: [&str; 15] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "resourceName",
    "adopt",
    "service",
    "workload",
    "environment",
    "dataplane",
    "revision",
    "match",
    "host",
    "hosts",
];
const LAST: &str = "spec";

/// A document in an order that reads well. The `spec` of an entry is Istio's: its keys are sorted.
fn text(document: &Value) -> String {
    let mut node = node(document);
    if let (Yaml::Map(entries), Some(spec)) = (&mut node.value, document.get(LAST))
        && let Some(last) = entries.last_mut()
    {
        last.value = self::node(spec);
    }
    new_document(&node.value)
}

fn node(value: &Value) -> Node {
    let value = match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| (rank(key), key.as_str()));
            let entry = |(key, field): (&String, &Value)| MapEntry {
                place: Place::default(),
                key: key.clone(),
                value: if key == LAST { yaml(field) } else { node(field) },
            };
            Yaml::Map(fields.into_iter().map(entry).collect())
        }
        Value::Array(items) => Yaml::List(items.iter().map(node).collect()),
        scalar => return yaml(scalar),
    };
    Node { place: Place::default(), value }
}

/// The place of a key among others.
fn rank(key: &str) -> (usize, Option<Kind>) {
    let first = FIRST.iter().position(|first| *first == key);
    let section = Kind::ALL.into_iter().find(|kind| kind.section() == key);
    (first.unwrap_or(FIRST.len() + usize::from(key == LAST)), section)
}
