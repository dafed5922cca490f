//! A document of any kind: `apiVersion`, `kind`, `metadata` and `spec`.

use std::sync::Arc;

use super::{
    fields::{Context, Cursor, Fields},
    halt,
    kinds::{Document, GROUP, KINDS, Kind},
    kustomize,
    problem::Finding,
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
    let written = text(&top, "kind");
    let known = KINDS.iter().find(|kind| Some(kind.name) == written);
    if known.is_none() && text(&top, "apiVersion").is_some_and(|version| !version.starts_with(GROUP)) {
        return Outcome::Foreign;
    }
    if kustomize::is_kustomization(node) {
        return Outcome::Foreign;
    }
    let [default, ..] = &KINDS;
    let kind = known.unwrap_or(default);
    let (name, document) = top.fields().map(|fields| document(kind, fields)).unwrap_or_default();
    let findings = context.take_findings();
    if let Some(document) = document.filter(|_| findings.is_empty()) {
        return Outcome::Valid { kind, name, document: with_annotations(document, node) };
    }
    let may_bind = match (known, written) {
        (Some(kind), _) => !kind.binds.is_empty(),
        (None, Some(_)) => true,
        (None, None) => looks_binding(node),
    };
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
    let metadata = if kind.is_named { fields.require("metadata") } else { fields.take("metadata") };
    let name = metadata.and_then(Cursor::fields).and_then(|fields| self::metadata(fields, kind.is_named));
    let name = name.filter(|_| kind.is_named);
    let spec = fields.require("spec").and_then(Cursor::fields);
    let spec = spec.and_then(|fields| (kind.spec)(fields, name.clone()));
    fields.finish();
    (name, spec)
}

fn constant(field: Option<Cursor<'_>>, wanted: &[&str]) {
    let Some(field) = field else { return };
    if field.string().is_some_and(|text| !wanted.contains(&text)) {
        field.report(format_args!("must be {}", or(wanted)));
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

/// True for a document without a kind that has the fields of one that binds policies.
fn looks_binding(document: &Node) -> bool {
    let fields = |node: &Node| if let Value::Map(fields) = &node.value { fields.clone() } else { Vec::new() };
    let binds = |key: &str| KINDS.iter().any(|kind| kind.binds.contains(&key));
    fields(document).iter().any(|field| {
        field.key.eq_ignore_ascii_case("kind") || fields(&field.value).iter().any(|inner| binds(&inner.key))
    })
}

/// The text at a key, before it is known what the document is.
fn text<'n>(top: &Cursor<'n>, key: &str) -> Option<&'n str> {
    match field(top.value(), key)? {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    }
}

fn field<'n>(value: &'n Value, key: &str) -> Option<&'n Value> {
    let Value::Map(fields) = value else { return None };
    fields.iter().find(|field| field.key == key).map(|field| &field.value.value)
}
