//! A document of the policy language: from nodes to a [`Policy`], or every reason why not.

use std::cell::RefCell;

use crate::{
    fields::{Cursor, Fields},
    glob::Glob,
    matcher::{Matcher, Pattern},
    name::{HeaderName, PolicyName},
    percentage::Percentage,
    policy::{
        Abort, Fault, HeaderMatch, HttpStatus, MAX_BODY_BYTES, MAX_HOLD_MS, Match, Policy, Rule, Selector,
    },
    problem::Finding,
    yaml::{Node, Value},
};

const API_VERSION: &str = "hfi.dev/v1";
const KIND: &str = "FaultPolicy";

/// What a document turned out to be.
#[derive(Debug)]
pub enum Document {
    Policy(Policy),
    /// Somebody else's: a `kustomization.yaml`, a Flux object.
    Foreign,
    /// Ours and wrong. The name, where one could be read, still counts against another's use of it.
    Invalid {
        name: Option<PolicyName>,
        findings: Vec<Finding>,
    },
}

/// Reads a document.
pub fn read(node: &Node) -> Document {
    let findings = RefCell::new(Vec::new());
    let top = Cursor::new(node, &findings);
    if is_foreign(&top) {
        return Document::Foreign;
    }
    let (name, policy) = top.fields().map(policy).unwrap_or_default();
    let findings = findings.into_inner();
    match policy {
        Some(policy) if findings.is_empty() => Document::Policy(policy),
        _ => Document::Invalid { name, findings },
    }
}

fn text<'n>(top: &Cursor<'n>, key: &str) -> Option<&'n str> {
    let Value::Map(fields) = top.value() else { return None };
    fields.iter().find(|field| field.key == key).and_then(|field| match &field.value.value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    })
}

/// A foreign `apiVersion` is passed over, unless the kind is ours: then it is a mistake of ours.
fn is_foreign(top: &Cursor<'_>) -> bool {
    text(top, "apiVersion").is_some_and(|version| version != API_VERSION) && text(top, "kind") != Some(KIND)
}

fn policy(mut fields: Fields<'_>) -> (Option<PolicyName>, Option<Policy>) {
    constant(fields.take("apiVersion"), API_VERSION);
    constant(fields.take("kind"), KIND);
    let name = fields.require("metadata").and_then(Cursor::fields).and_then(metadata);
    let spec = fields.require("spec").and_then(Cursor::fields).and_then(spec);
    fields.finish();
    let policy = name.clone().zip(spec).map(|(name, (selector, rules))| Policy { name, selector, rules });
    (name, policy)
}

fn constant(field: Option<Cursor<'_>>, wanted: &str) {
    let Some(field) = field else { return };
    if field.string().is_some_and(|text| text != wanted) {
        field.report(format_args!("must be `{wanted}`"));
    }
}

fn metadata(mut fields: Fields<'_>) -> Option<PolicyName> {
    let name = fields.require("name");
    let name = name.and_then(|name| name.accept(name.string()?.to_owned().try_into()));
    for inert in ["version", "labels", "annotations"] {
        fields.take(inert);
    }
    fields.finish();
    name
}

fn spec(mut fields: Fields<'_>) -> Option<(Selector, Vec<Rule>)> {
    let selector = match fields.take("selector") {
        Some(selector) => selector.fields().and_then(self::selector),
        None => Some(Selector { service: Glob::any(), namespace: Glob::any() }),
    };
    let rules = fields.require("rules").and_then(|list| {
        let rules: Vec<_> = list.items()?.map(|item| item.fields().and_then(rule)).collect();
        if rules.is_empty() {
            list.report("must hold at least one rule");
        }
        rules.into_iter().collect::<Option<Vec<_>>>()
    });
    fields.finish();
    selector.zip(rules)
}

fn selector(mut fields: Fields<'_>) -> Option<Selector> {
    let mut glob = |name| match fields.take(name) {
        Some(field) => field.accept(field.string()?.to_owned().try_into()),
        None => Some(Glob::any()),
    };
    let (service, namespace) = (glob("service"), glob("namespace"));
    fields.finish();
    Some(Selector { service: service?, namespace: namespace? })
}

fn rule(mut fields: Fields<'_>) -> Option<Rule> {
    let matches = match fields.take("match") {
        Some(field) => field.fields().and_then(matches),
        None => Some(Match::default()),
    };
    let fault = fields.require("fault").and_then(Cursor::fields).and_then(fault);
    fields.finish();
    Some(Rule { matches: matches?, fault: fault? })
}

fn matches(mut fields: Fields<'_>) -> Option<Match> {
    let method = fields.take("method").map(|field| field.fields().and_then(matcher));
    let path = fields.take("path").map(|field| field.fields().and_then(matcher));
    let path_prefix =
        fields.take("path_prefix").map(|field| Some(Matcher::Prefix(field.string()?.to_owned())));
    let headers = fields.take("headers").map(|field| {
        let headers: Vec<_> = field.items()?.map(|item| item.fields().and_then(header)).collect();
        headers.into_iter().collect::<Option<Vec<_>>>()
    });
    if path.is_some() && path_prefix.is_some() {
        fields.cursor().report("has `path` and `path_prefix`; keep one");
    }
    let path = path.or(path_prefix);
    let empty = headers.as_ref().is_none_or(|headers| headers.as_ref().is_some_and(Vec::is_empty));
    if method.is_none() && path.is_none() && empty {
        fields.cursor().report("must hold at least one condition; leave `match` out to match every request");
    }
    fields.finish();
    Some(Match {
        method: method.map_or(Some(None), |method| method.map(Some))?,
        path: path.map_or(Some(None), |path| path.map(Some))?,
        headers: headers.unwrap_or_else(|| Some(Vec::new()))?,
    })
}

fn header(mut fields: Fields<'_>) -> Option<HeaderMatch> {
    let name = fields.require("name");
    let name: Option<HeaderName> = name.and_then(|name| name.accept(name.string()?.to_owned().try_into()));
    let value = matcher(fields);
    Some(HeaderMatch { name: name?, value: value? })
}

/// Exactly one of `exact`, `prefix` and `regex`.
fn matcher(mut fields: Fields<'_>) -> Option<Matcher> {
    let exact = fields.take("exact").map(|field| Some(Matcher::Exact(field.string()?.to_owned())));
    let prefix = fields.take("prefix").map(|field| Some(Matcher::Prefix(field.string()?.to_owned())));
    let regex = fields
        .take("regex")
        .map(|field| Some(Matcher::Regex(field.accept(Pattern::parse(field.string()?))?)));
    let mut given = [exact, prefix, regex].into_iter().flatten();
    let (one, more) = (given.next(), given.next());
    if one.is_none() || more.is_some() {
        fields.cursor().report("must hold exactly one of `exact`, `prefix` and `regex`");
    }
    fields.finish();
    one.flatten()
}

fn fault(mut fields: Fields<'_>) -> Option<Fault> {
    let percentage = fields.require("percentage");
    let percentage = percentage.and_then(|field| field.accept(field.number()?.parse::<Percentage>()));
    let mut milliseconds =
        |name| fields.take(name).map(|field| (field.integer(0..=MAX_HOLD_MS, " of milliseconds"), field));
    let start_delay = milliseconds("start_delay_ms");
    let short_delay = milliseconds("delay_ms");
    let duration = fields.take("duration_seconds").map(|field| field.integer(0..=u32::MAX, " of seconds"));
    let delay = fields.take("delay").map(|field| field.fields().and_then(delay));
    let abort = fields.take("abort").map(|field| field.fields().and_then(abort));
    if delay.is_some() && short_delay.is_some() {
        fields.cursor().report("has `delay` and `delay_ms`; keep one");
    }
    let delay = delay.or(short_delay.map(|(delay, _)| delay));
    if delay.is_none() && abort.is_none() {
        fields.cursor().report("must hold a `delay`, an `abort`, or both");
    }
    let start_delay_ms = start_delay.map_or(Some(0), |(start, _)| start);
    if let (Some(start), Some(Some(delay))) = (start_delay_ms, delay)
        && start.saturating_add(delay) > MAX_HOLD_MS
    {
        fields.cursor().report(format_args!(
            "holds a request for {} ms; `start_delay_ms` and the delay together may be {MAX_HOLD_MS} at most",
            start + delay
        ));
    }
    fields.finish();
    Some(Fault {
        percentage: percentage?,
        start_delay_ms: start_delay_ms?,
        duration_seconds: duration.unwrap_or(Some(0))?,
        delay_ms: delay.map_or(Some(None), |delay| delay.map(Some))?,
        abort: abort.map_or(Some(None), |abort| abort.map(Some))?,
    })
}

fn delay(mut fields: Fields<'_>) -> Option<u32> {
    let delay = fields.require("fixed_delay_ms");
    let delay = delay.and_then(|field| field.integer(1..=MAX_HOLD_MS, " of milliseconds"));
    fields.finish();
    delay
}

fn abort(mut fields: Fields<'_>) -> Option<Abort> {
    let status = fields.require("httpStatus").and_then(|field| {
        let code = field.number()?.parse().unwrap_or(0);
        field.accept(HttpStatus::try_from(code))
    });
    let body = fields.take("body").map_or(Some(String::new()), |field| {
        let body = field.string()?;
        if body.len() > MAX_BODY_BYTES {
            field.report(format_args!("must be at most {MAX_BODY_BYTES} bytes long"));
        }
        if let Some(status) = status.filter(|status| !status.allows_body() && !body.is_empty()) {
            field.report(format_args!("must be empty: a reply with status {} has no body", status.as_u16()));
        }
        Some(body.to_owned())
    });
    fields.finish();
    Some(Abort { status: status?, body: body? })
}
