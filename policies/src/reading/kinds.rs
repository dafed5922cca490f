//! The kinds of documents, and which a document is of.

use super::{
    envelope::{GROUP, GUARDRAIL, POLICY},
    fields::{Context, Cursor},
    guardrail, policy,
    problem::Finding,
    yaml::{Node, Value},
};
use crate::language::{Guardrail, Policy, PolicyName};

/// A document, by its kind.
#[derive(Debug)]
pub enum Document {
    Policy(Box<Policy>),
    Guardrail(Guardrail),
    /// Not hfi's: a `kustomization.yaml`, a Flux object.
    Foreign,
    /// Ours and wrong.
    Invalid(Invalid),
}

/// A document that cannot be used.
#[derive(Debug)]
pub struct Invalid {
    /// The name, where one could be read: it still counts against another's use of it.
    pub name: Option<PolicyName>,
    /// True if it is, or may have been meant as, a guardrail.
    pub may_be_guardrail: bool,
    pub findings: Vec<Finding>,
}

/// Reads a document.
pub fn read(node: &Node, context: &Context) -> Document {
    let top = Cursor::new(node, context);
    let kind = text(&top, "kind");
    let is_ours = kind.is_none_or(|kind| [POLICY, GUARDRAIL].contains(&kind));
    if text(&top, "apiVersion").is_some_and(|version| !version.starts_with(GROUP))
        && !(is_ours && kind.is_some())
    {
        return Document::Foreign;
    }
    if kind == Some(GUARDRAIL) {
        let guardrail = top.fields().and_then(guardrail::document);
        let findings = context.take_findings();
        return match guardrail.filter(|_| findings.is_empty()) {
            Some(guardrail) => Document::Guardrail(guardrail),
            None => Document::Invalid(Invalid { name: None, may_be_guardrail: true, findings }),
        };
    }
    let may_be_guardrail = match kind {
        Some(kind) => kind != POLICY,
        None => looks_like_guardrail(node),
    };
    let (name, policy) = top.fields().map(policy::document).unwrap_or_default();
    let findings = context.take_findings();
    match policy.filter(|_| findings.is_empty()) {
        Some(policy) => Document::Policy(Box::new(policy)),
        None => Document::Invalid(Invalid { name, may_be_guardrail, findings }),
    }
}

/// True for a document without a kind, which counts as a policy, that has the fields of a guardrail.
fn looks_like_guardrail(document: &Node) -> bool {
    let fields = |node: &Node| if let Value::Map(fields) = &node.value { fields.clone() } else { Vec::new() };
    fields(document).iter().any(|field| {
        field.key.eq_ignore_ascii_case("kind")
            || fields(&field.value).iter().any(|inner| guardrail::FIELDS.contains(&inner.key.as_str()))
    })
}

/// The text at a key, before it is known what the document is.
fn text<'n>(top: &Cursor<'n>, key: &str) -> Option<&'n str> {
    let Value::Map(fields) = top.value() else { return None };
    fields.iter().find(|field| field.key == key).and_then(|field| match &field.value.value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    })
}
