//! A document of any kind: `apiVersion`, `kind`, `metadata` and `spec`.

use std::sync::Arc;

use super::{
    fields::{Context, Cursor, Fields},
    halt,
    kinds::{Document, GROUP, KINDS, Kind, mentions_binding_kind},
    kustomize,
    problem::Finding,
    suggest::closest,
    values::or,
    yaml::{Node, Value},
};
use crate::language::PolicyName;

/// The annotation whose change begins a policy's durations anew.
pub const RESTARTED_AT: &str = "hfi.dev/restarted-at";

/// The outcome of reading a document.
#[derive(Debug)]
pub(crate) enum Outcome {
    Valid {
        kind: &'static Kind,
        /// The name, if the kind has names.
        name: Option<PolicyName>,
        document: Document,
    },
    /// Not hfi's: a kustomization, a Flux object.
    Foreign,
    /// Of this kind of hfi, which another crate reads. It concerns no policy.
    Elsewhere(&'static Kind),
    /// Ours and wrong.
    Invalid(Invalid),
}

/// A document that cannot be used.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub(crate) kind: &'static Kind,
    /// The name, where one could be read: it still counts against another's use of it.
    pub(crate) name: Option<PolicyName>,
    /// True if it binds policies beside it, or may have been meant to.
    pub(crate) may_bind: bool,
    pub(crate) findings: Vec<Finding>,
}

/// Reads a document.
pub(crate) fn read(node: &Node, context: &Context) -> Outcome {
    let top = Cursor::new(node, context);
    let [default, ..] = &KINDS;
    if let Some(kind) = listed(node) {
        top.report("is a list, which is not read: write its items as documents, with `---` between them");
        let (kind, may_bind) = (kind.unwrap_or(default), kind.is_none_or(Kind::is_binding));
        return Outcome::Invalid(Invalid { kind, name: None, may_bind, findings: context.take_findings() });
    }
    let known = named_kind(node);
    if known.is_none() && api_version(node).is_some_and(|version| !version.starts_with(GROUP)) {
        return Outcome::Foreign;
    }
    if kustomize::is_kustomization(node) {
        return Outcome::Foreign;
    }
    if let Some(kind) = known.filter(|kind| kind.spec.is_none()) {
        return Outcome::Elsewhere(kind);
    }
    let kind = known.or_else(|| misspelled(node)).unwrap_or(default);
    let (name, document) = top.fields().map(|fields| document(kind, fields)).unwrap_or_default();
    let findings = context.take_findings();
    if let Some(document) = document.filter(|_| findings.is_empty()) {
        return Outcome::Valid { kind, name, document: with_annotations(document, node) };
    }
    // What is meant for another crate was not meant to bind policies.
    let is_known = known.is_some() || kind.spec.is_none();
    let may_bind = if is_known { kind.is_binding() } else { looks_binding(node) };
    Outcome::Invalid(Invalid { kind, name, may_bind, findings })
}

/// A document with the annotations that count: of a policy, the one that begins its durations anew.
fn with_annotations(document: Document, node: &Node) -> Document {
    let annotations = field(&node.value, "metadata").and_then(|metadata| field(metadata, "annotations"));
    match document {
        Document::Policy(mut policy) => {
            let at = annotations.and_then(|annotations| field(annotations, RESTARTED_AT));
            policy.restarted_at = match at {
                Some(Value::String(text) | Value::Number(text)) => Some(text.as_str().into()),
                _ => None,
            };
            Document::Policy(policy)
        }
        Document::Halt(halt) => {
            Document::Halt(halt::placed(Arc::unwrap_or_clone(halt), node.place, annotations).into())
        }
        Document::Guardrail(guardrail) => Document::Guardrail(guardrail),
    }
}

/// Reads a document of this kind: its name, and what it declares.
fn document(kind: &Kind, mut fields: Fields<'_>) -> (Option<PolicyName>, Option<Document>) {
    constant(fields.take("apiVersion"), &[kind.api_version]);
    constant(fields.take("kind"), &KINDS.each_ref().map(|kind| kind.name));
    let Some(read_spec) = kind.spec else { return (None, None) };
    let metadata = if kind.is_named { fields.require("metadata") } else { fields.take("metadata") };
    let name = metadata.and_then(Cursor::fields).and_then(|fields| self::metadata(fields, kind.is_named));
    let name = name.filter(|_| kind.is_named);
    let spec = fields.require("spec").and_then(Cursor::fields);
    let spec = spec.and_then(|fields| read_spec(fields, name.clone()));
    fields.finish();
    (name, spec)
}

fn constant(field: Option<Cursor<'_>>, wanted: &[&str]) {
    let Some(field) = field else { return };
    let Some(text) = field.string().filter(|text| !wanted.contains(text)) else { return };
    match closest(text, wanted).filter(|_| wanted.len() > 1) {
        Some(meant) => field.report(format_args!("must be {}; did you mean `{meant}`?", or(wanted))),
        None => field.report(format_args!("must be {}", or(wanted))),
    }
}

/// Reads `metadata`: the name, if there is a valid one.
fn metadata(mut fields: Fields<'_>, is_named: bool) -> Option<PolicyName> {
    let name = if is_named { fields.require("name") } else { fields.take("name") };
    let name = name.and_then(|name| name.accept(name.string()?.to_owned().try_into()));
    for inert in ["version", "labels", "annotations"] {
        fields.take(inert);
    }
    fields.finish();
    name
}

/// True for a document of no known kind that has a kind, or the fields of one that binds policies.
fn looks_binding(document: &Node) -> bool {
    let binds = |key: &str| KINDS.iter().any(|kind| kind.binds.contains(&key));
    let has_binding_field = |value: &Value| match value {
        Value::Map(fields) => fields.iter().any(|field| binds(&field.key)),
        _ => false,
    };
    match &document.value {
        Value::Map(fields) => fields
            .iter()
            .any(|field| field.key.eq_ignore_ascii_case("kind") || has_binding_field(&field.value.value)),
        Value::List(items) => {
            items.iter().any(|item| named_kind(item).map_or_else(|| looks_binding(item), Kind::is_binding))
        }
        Value::String(text) => mentions_binding_kind(text.as_bytes()),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The kind that a document names, in whatever case: one that is misspelled so is ours, and wrong.
fn named_kind(document: &Node) -> Option<&'static Kind> {
    let named = said_kind(document)?;
    KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(named))
}

/// The kind that a document most likely means by one that is not known.
fn misspelled(document: &Node) -> Option<&'static Kind> {
    let meant = closest(said_kind(document)?, &KINDS.each_ref().map(|kind| kind.name))?;
    KINDS.iter().find(|kind| kind.name == meant)
}

/// The `kind` of a document, whose key may be in whatever case.
fn said_kind(document: &Node) -> Option<&str> {
    let Value::Map(fields) = &document.value else { return None };
    let field = fields.iter().find(|field| field.key.eq_ignore_ascii_case("kind"))?;
    let Value::String(said) = &field.value.value else { return None };
    Some(said.trim())
}

fn api_version(document: &Node) -> Option<&str> {
    match field(&document.value, "apiVersion")? {
        Value::String(version) => Some(version),
        _ => None,
    }
}

/// The kind of a document of Kubernetes' kind `List` that has items of ours: that of one that binds policies, if
/// there is one, and `None` if an item is of an unknown kind of ours.
fn listed(document: &Node) -> Option<Option<&'static Kind>> {
    let is_list = |kind: &Value| matches!(kind, Value::String(kind) if kind.eq_ignore_ascii_case("List"));
    field(&document.value, "kind").filter(|kind| is_list(kind))?;
    let Value::List(items) = field(&document.value, "items")? else { return None };
    let is_ours = |item: &&Node| {
        named_kind(item).is_some() || api_version(item).is_some_and(|version| version.starts_with(GROUP))
    };
    let kinds = items.iter().filter(is_ours).map(named_kind);
    kinds.reduce(|one, other| if one.is_none_or(Kind::is_binding) { one } else { other })
}

fn field<'n>(value: &'n Value, key: &str) -> Option<&'n Value> {
    let Value::Map(fields) = value else { return None };
    fields.iter().find(|field| field.key == key).map(|field| &field.value.value)
}
