//! An entry of a section: what entries of all sections have in common.

use std::collections::BTreeMap;

use policies::reading::{Cursor, Fields, Place, Value};

use super::{
    fields::{items, label},
    json,
    own_fields::{self, OwnFields},
    scope::Scope,
    sections::{self, Attributes},
};
use crate::{
    finding::{Finding, Level},
    resource::Kind,
    values::{Label, MergePatch, ObjectName},
};

/// The longest name of an entry.
const MAX_NAME: usize = 40;

/// An entry. It renders to one resource or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub place: Place,
    /// Its path, such as `spec.gateway[0]`.
    pub field: String,
    pub kind: Kind,
    /// At most one entry of a section has none.
    pub name: Option<Label>,
    /// The whole name of the object, instead of the derived one.
    pub resource_name: Option<ObjectName>,
    /// The namespaces that see it, as Istio's `exportTo` has them.
    pub namespaces: Option<Vec<String>>,
    pub apply_to: Option<ApplyTo>,
    /// True if an object of that name, which hfi has not made, may be taken over.
    pub adopt: bool,
    /// Absent: it has only `spec`, which is rendered as it is.
    pub attributes: Option<Attributes>,
    /// Changes of the rendered `spec`.
    pub patch: Option<MergePatch>,
    /// Each `spec` in it: its own, and those of its items.
    pub own_fields: Vec<OwnFields>,
}

impl Entry {
    /// An error of one of its attributes; of the whole entry where none is named.
    pub fn error(&self, rule: &'static str, attribute: &str, reason: impl Into<String>) -> Finding {
        let dot = if attribute.is_empty() { "" } else { "." };
        Finding::error(rule, format!("{}{dot}{attribute}", self.field), reason).at(self.place)
    }

    /// A warning in the same way.
    pub fn warning(&self, rule: &'static str, attribute: &str, reason: impl Into<String>) -> Finding {
        Finding { level: Level::Warning, ..self.error(rule, attribute, reason) }
    }
}

/// What a resource binds to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyTo {
    /// The pods of the application.
    Workload,
    /// All pods of the namespace.
    Namespace,
    /// The application's Service, at its waypoint.
    Service,
    /// A Gateway of the Gateway API, by its name.
    Gateway(Label),
}

/// Reads the entry or the entries of a section.
pub(super) fn section(kind: Kind, section: &Cursor<'_>, scope: &Scope<'_>) -> Option<Vec<Entry>> {
    let entries = match section.value() {
        Value::List(_) => items(section, |item| entry(kind, item, scope))?,
        _ => vec![entry(kind, section.clone(), scope)?],
    };
    let mut is_right = true;
    let mut lines = BTreeMap::new();
    for (i, later) in entries.iter().enumerate() {
        if let Some(line) = lines.get(&later.name) {
            is_right = false;
            let item = section.items().and_then(|mut items| items.nth(i)).unwrap_or(section.clone());
            match &later.name {
                Some(name) => item.report(format_args!("has the name `{name}` of line {line}; rename one")),
                None => {
                    item.report(format_args!("has no `name`, as the entry of line {line}; give it one"));
                }
            }
        } else {
            lines.insert(&later.name, later.place.line);
        }
    }
    is_right.then_some(entries)
}

fn entry(kind: Kind, cursor: Cursor<'_>, scope: &Scope<'_>) -> Option<Entry> {
    let own_fields = own_fields::of(&cursor);
    let mut fields = cursor.fields()?;
    let name = fields.read("name", entry_name).optional();
    let resource_name = fields.read("resourceName", |field| resource_name(kind, field)).optional();
    let namespaces = match kind {
        Kind::DestinationRule | Kind::VirtualService | Kind::ServiceEntry => {
            fields.read("namespaces", |field| namespaces(field, scope.namespace)).optional()
        }
        _ => Some(None),
    };
    let apply_to = match choices(kind) {
        [] => Some(None),
        choices => fields.read("applyTo", |field| apply_to(field, choices)).optional(),
    };
    let adopt = fields.read("adopt", Cursor::boolean).or(false);
    let patch = fields.read("spec", json::patch);
    let attributes = match is_passed_through(&fields) {
        true => Some(None),
        false => {
            let namespaces = namespaces.as_ref().and_then(|namespaces| namespaces.as_deref());
            sections::read(kind, &mut fields, &Scope { namespaces, ..*scope }).map(Some)
        }
    };
    let (place, field) = (fields.cursor().place(), fields.cursor().path().to_owned());
    fields.finish();
    Some(Entry {
        place,
        field,
        kind,
        name: name?,
        resource_name: resource_name?,
        namespaces: namespaces?,
        apply_to: apply_to?,
        adopt: adopt?,
        attributes: attributes?,
        patch: patch.optional()?,
        own_fields,
    })
}

/// True for an entry that has `spec` and no attribute of its own.
fn is_passed_through(fields: &Fields<'_>) -> bool {
    let Value::Map(entries) = fields.cursor().value() else { return false };
    let common = ["name", "resourceName", "namespaces", "applyTo", "adopt", "spec"];
    entries.iter().any(|entry| entry.key == "spec")
        && entries.iter().all(|entry| common.contains(&entry.key.as_str()))
}

fn entry_name(field: &Cursor<'_>) -> Option<Label> {
    let name = label(field)?;
    if name.as_str().len() > MAX_NAME {
        field.report(format_args!("is longer than {MAX_NAME} characters; shorten it"));
        return None;
    }
    Some(name)
}

fn resource_name(kind: Kind, field: &Cursor<'_>) -> Option<ObjectName> {
    let name: ObjectName = field.accept(field.string()?.try_into())?;
    if kind == Kind::Gateway && name.as_str().contains('.') {
        field.report("has a dot: no VirtualService could name this Gateway; write a name without");
        return None;
    }
    Some(name)
}

/// Namespaces as `exportTo` takes them.
fn namespaces(field: &Cursor<'_>, own: &Label) -> Option<Vec<String>> {
    let namespaces = items(field, |item| {
        let text = item.string()?;
        match text {
            "." | "*" => Some(text.to_owned()),
            "~" => {
                item.report(
                    "hides it from everybody; write `.` for the own namespace, or take the entry out",
                );
                None
            }
            _ => label(&item).map(String::from),
        }
    })?;
    if namespaces.len() > 1 && namespaces.iter().any(|namespace| namespace == "*") {
        field.report("has `*`, which is all namespaces, beside others; keep `*` alone, or take it out");
        return None;
    }
    let same = |namespace: &String| if namespace == "." { own.to_string() } else { namespace.clone() };
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = namespaces.iter().find(|namespace| !seen.insert(same(namespace))) {
        field.report(format_args!("has `{twice}` twice: `.` is the namespace {own}; keep one"));
        return None;
    }
    Some(namespaces)
}

/// The words of `applyTo` that a kind knows. A kind without any does not bind to workloads.
const fn choices(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::AuthorizationPolicy | Kind::RequestAuthentication | Kind::Telemetry => {
            &["workload", "namespace", "service", "gateway"]
        }
        // The matcher of an EnvoyFilter knows no services.
        Kind::EnvoyFilter => &["workload", "namespace", "gateway"],
        Kind::PeerAuthentication | Kind::ProxyConfig | Kind::Sidecar => &["workload", "namespace"],
        Kind::DestinationRule
        | Kind::VirtualService
        | Kind::HttpRoute
        | Kind::GrpcRoute
        | Kind::ServiceEntry
        | Kind::Gateway => &[],
    }
}

fn apply_to(field: &Cursor<'_>, choices: &[&str]) -> Option<ApplyTo> {
    let has = |word: &str| choices.contains(&word);
    match field.value() {
        Value::String(text) if text == "workload" => Some(ApplyTo::Workload),
        Value::String(text) if text == "namespace" => Some(ApplyTo::Namespace),
        Value::String(text) if text == "service" && has("service") => Some(ApplyTo::Service),
        Value::Map(_) if has("gateway") => {
            let mut fields = field.clone().fields()?;
            let name = fields.require("gateway").and_then(|name| label(&name));
            fields.finish();
            name.map(ApplyTo::Gateway)
        }
        _ => {
            let words = choices.iter().map(|word| match *word {
                "gateway" => "`{gateway: NAME}`".to_owned(),
                word => format!("`{word}`"),
            });
            field.report(format_args!("must be one of {}", words.collect::<Vec<_>>().join(", ")));
            None
        }
    }
}
