//! A document of the policy language: from nodes to what it declares, or every reason why not.

use crate::{
    fault_document as fault,
    fields::{Context, Cursor, Fields},
    glob::Glob,
    guardrail::{self, Guardrail},
    match_document as matching,
    name::PolicyName,
    policy::{Flow, Mode, Policy, Rule, Selector},
    problem::Finding,
    time::Timestamp,
    yaml::{Node, Value},
};

const API_VERSION: &str = "hfi.dev/v1";
const GROUP: &str = "hfi.dev/";
const POLICY: &str = "FaultPolicy";
const GUARDRAIL: &str = "Guardrail";

/// What a document turned out to be.
#[derive(Debug)]
pub enum Document {
    Policy(Box<Policy>),
    Guardrail(Guardrail),
    /// Somebody else's: a `kustomization.yaml`, a Flux object.
    Foreign,
    /// Ours and wrong.
    Invalid(Invalid),
}

/// A document that cannot be used.
#[derive(Debug)]
pub struct Invalid {
    /// The name, where one could be read: it still counts against another's use of it.
    pub name: Option<PolicyName>,
    /// Whether it is, or could have been meant as, a guardrail.
    pub may_guard: bool,
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
        let guardrail = top.fields().and_then(guardrail_document);
        let findings = context.take_findings();
        return match guardrail.filter(|_| findings.is_empty()) {
            Some(guardrail) => Document::Guardrail(guardrail),
            None => Document::Invalid(Invalid { name: None, may_guard: true, findings }),
        };
    }
    let may_guard = match kind {
        Some(kind) => kind != POLICY,
        None => looks_like_guardrail(node),
    };
    let (name, policy) = top.fields().map(policy).unwrap_or_default();
    let findings = context.take_findings();
    match policy.filter(|_| findings.is_empty()) {
        Some(policy) => Document::Policy(Box::new(policy)),
        None => Document::Invalid(Invalid { name, may_guard, findings }),
    }
}

/// Whether a document without a kind, which is a policy, seems to have lost the kind of a guardrail.
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

fn policy(mut fields: Fields<'_>) -> (Option<PolicyName>, Option<Policy>) {
    constant(fields.take("apiVersion"), &[API_VERSION]);
    constant(fields.take("kind"), &[POLICY, GUARDRAIL]);
    let name = fields
        .require("metadata")
        .and_then(Cursor::fields)
        .and_then(|fields| metadata(fields, true))
        .flatten();
    let spec = fields.require("spec").and_then(Cursor::fields).and_then(|fields| spec(fields, name.clone()));
    fields.finish();
    (name, spec)
}

fn guardrail_document(mut fields: Fields<'_>) -> Option<Guardrail> {
    constant(fields.take("apiVersion"), &[API_VERSION]);
    fields.take("kind");
    fields.take("metadata").and_then(Cursor::fields).and_then(|fields| metadata(fields, false));
    let guardrail = fields.require("spec").and_then(Cursor::fields).and_then(Guardrail::read);
    fields.finish();
    guardrail
}

fn constant(field: Option<Cursor<'_>>, wanted: &[&str]) {
    let Some(field) = field else { return };
    if field.string().is_some_and(|text| !wanted.contains(&text)) {
        field.report(format_args!("must be {}", or(wanted)));
    }
}

/// `a`, `b` or `c`.
fn or(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn metadata(mut fields: Fields<'_>, required: bool) -> Option<Option<PolicyName>> {
    let name = if required { fields.require("name") } else { fields.take("name") };
    let name = name.map(|name| name.accept(name.string()?.to_owned().try_into()));
    for inert in ["version", "labels", "annotations"] {
        fields.take(inert);
    }
    fields.finish();
    name
}

fn spec(mut fields: Fields<'_>, name: Option<PolicyName>) -> Option<Policy> {
    let selector = selector_at(fields.take_optional("selector"));
    let flow = flow(&mut fields);
    let mode = word(fields.take("mode"), &[("inject", Mode::Inject), ("shadow", Mode::Shadow)]);
    let priority = fields.take("priority").map_or(Some(0), |field| field.signed());
    let suspend = fields.take("suspend").map_or(Some(false), |field| field.boolean());
    let starts_at = instant(fields.take("startsAt"));
    let expires_at = fields.take("expiresAt");
    let expires = expires_at.clone();
    let expires_at = instant(expires_at);
    if let (Some(Some(start)), Some(Some(end)), Some(field)) = (starts_at, expires_at, expires)
        && end <= start
    {
        field.report("must be later than `startsAt`");
    }
    let rules = fields.require("rules").and_then(|list| {
        let rules: Vec<_> = list.items()?.map(|item| item.fields().and_then(rule)).collect();
        if rules.is_empty() {
            list.report("must hold at least one rule");
        }
        rules.into_iter().collect::<Option<Vec<_>>>()
    });
    fields.finish();
    Some(Policy {
        name: name?,
        selector: selector?,
        flow: flow?,
        mode: mode?,
        priority: priority?,
        suspend: suspend?,
        starts_at: starts_at?,
        expires_at: expires_at?,
        rules: rules?,
    })
}

/// One of some words; the first where the field is absent.
fn word<T: Copy>(field: Option<Cursor<'_>>, words: &[(&str, T)]) -> Option<T> {
    let Some(field) = field else { return words.first().map(|(_, value)| *value) };
    let text = field.string()?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        field
            .report(format_args!("must be {}", or(&words.iter().map(|(word, _)| *word).collect::<Vec<_>>())));
    }
    found
}

fn flow(fields: &mut Fields<'_>) -> Option<Flow> {
    let direction = word(fields.take("direction"), &[("inbound", false), ("outbound", true)]);
    let destination = fields.take_optional("destination");
    if direction == Some(false)
        && let Some(destination) = &destination
    {
        destination
            .report("is only for `direction: outbound`; which workload receives is the selector's to say");
    }
    let destination = selector_at(destination);
    Some(if direction? { Flow::Outbound { destination: destination? } } else { Flow::Inbound })
}

fn selector_at(field: Option<Cursor<'_>>) -> Option<Selector> {
    let Some(field) = field else { return Some(Selector::any()) };
    let mut fields = field.fields()?;
    let (service, namespace) =
        (glob(fields.take_optional("service")), glob(fields.take_optional("namespace")));
    fields.finish();
    Some(Selector { service: service?, namespace: namespace? })
}

/// A glob; everything where the field is absent.
pub(crate) fn glob(field: Option<Cursor<'_>>) -> Option<Glob> {
    match field {
        Some(field) => field.accept(field.string()?.to_owned().try_into()),
        None => Some(Glob::any()),
    }
}

/// An instant; `Some(None)` where the field is absent.
fn instant(field: Option<Cursor<'_>>) -> Option<Option<Timestamp>> {
    let Some(field) = field else { return Some(None) };
    field.accept(Timestamp::parse(field.string()?)).map(Some)
}

fn rule(mut fields: Fields<'_>) -> Option<Rule> {
    let matches = match fields.take("match") {
        Some(field) => field.fields().and_then(matching::read),
        None => Some(Default::default()),
    };
    let fault = fields.require("fault").and_then(Cursor::fields).and_then(fault::read);
    fields.finish();
    Some(Rule { matches: matches?, fault: fault? })
}
