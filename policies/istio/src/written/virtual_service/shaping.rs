//! What happens to requests on their way: mirrors, rewrites, changes of headers, CORS.

use std::collections::BTreeMap;

use policies::{
    language::Percentage,
    reading::{Cursor, Value},
};

use crate::{
    values::{CORS_METHODS, Duration, EnvoyRegex, Label, ServiceRef, percents_are_closed},
    written::fields::{
        checked_header_name, duration, header_name, items, label, percentage, port, service, strings, text,
    },
};

/// A service that gets copies of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    pub service: ServiceRef,
    pub port: Option<u32>,
    pub subset: Option<Label>,
    /// Absent: all.
    pub percent: Option<Percentage>,
}

/// At least one of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    pub path: Option<String>,
    pub host: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChanges {
    pub set: BTreeMap<String, String>,
    pub add: BTreeMap<String, String>,
    pub remove: Vec<String>,
}

/// The web pages of other origins that may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    pub origins: Vec<Origin>,
    pub methods: Vec<String>,
    pub headers: Vec<String>,
    pub max_age: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Exact(String),
    Prefix(String),
    Regex(EnvoyRegex),
}

pub(super) fn mirror(field: &Cursor<'_>) -> Option<Mirror> {
    let mut fields = field.clone().fields()?;
    let service = fields.require("service").and_then(|field| service(&field));
    let port = fields.read("port", port).optional();
    let subset = fields.read("subset", label).optional();
    let percent = fields.read("percent", percentage).optional();
    fields.finish();
    Some(Mirror { service: service?, port: port?, subset: subset?, percent: percent? })
}

pub(super) fn rewrite(field: &Cursor<'_>) -> Option<Rewrite> {
    let mut fields = field.clone().fields()?;
    let (path, host) = (fields.read("path", text).optional(), fields.read("host", text).optional());
    fields.finish();
    let rewrite = Rewrite { path: path?, host: host? };
    if rewrite.path.is_none() && rewrite.host.is_none() {
        field.report("must hold `path`, `host`, or both");
    }
    Some(rewrite)
}

pub(super) fn headers(field: &Cursor<'_>, is_request: bool) -> Option<HeaderChanges> {
    let mut fields = field.clone().fields()?;
    let set = fields.read("set", |field| values(field, is_request)).or(BTreeMap::new());
    let add = fields.read("add", |field| values(field, is_request)).or(BTreeMap::new());
    let remove = fields.read("remove", |field| items(field, |item| header_name(&item))).or(Vec::new());
    fields.finish();
    let changes = HeaderChanges { set: set?, add: add?, remove: remove? };
    if changes.set.is_empty() && changes.add.is_empty() && changes.remove.is_empty() {
        field.report("must hold `set`, `add` or `remove`");
    }
    Some(changes)
}

/// Headers and their values.
fn values(field: &Cursor<'_>, is_request: bool) -> Option<BTreeMap<String, String>> {
    let values = strings(field)?;
    let mut is_right = true;
    for (name, value) in field.entries() {
        let text = value.string().unwrap_or_default();
        if text.chars().any(char::is_control) {
            value.report("has a control character, for which Envoy refuses all routes; take it out");
            is_right = false;
        }
        if !percents_are_closed(text) {
            value.report("has a `%` alone, for which Envoy refuses all routes; write `%%`, or `%VARIABLE%`");
            is_right = false;
        }
        let is_authority = is_request && name == ":authority";
        if !is_authority && checked_header_name(name, &value).is_none() {
            is_right = false;
        }
    }
    is_right.then_some(values)
}

pub(super) fn cors(field: &Cursor<'_>) -> Option<Cors> {
    let mut fields = field.clone().fields()?;
    let origins = fields.require("origins").and_then(|field| items(&field, |item| origin(&item)));
    let methods = fields.read("methods", |field| items(field, |item| method(&item))).or(Vec::new());
    let headers = fields
        .read("headers", |field| {
            items(field, |item| match item.string()? {
                "*" => Some("*".to_owned()),
                _ => header_name(&item),
            })
        })
        .or(Vec::new());
    let max_age = fields.read("maxAge", |field| {
        let age = duration(field)?;
        let is_whole = age.as_millis().is_multiple_of(1000);
        if !is_whole {
            field.report("must be whole seconds");
        }
        is_whole.then_some(age)
    });
    fields.finish();
    Some(Cors { origins: origins?, methods: methods?, headers: headers?, max_age: max_age.optional()? })
}

fn origin(item: &Cursor<'_>) -> Option<Origin> {
    if let Value::String(_) = item.value() {
        return text(item).map(Origin::Exact);
    }
    let mut fields = item.clone().fields()?;
    let exact = fields.take("exact").map(|field| text(&field).map(Origin::Exact));
    let prefix = fields.take("prefix").map(|field| text(&field).map(Origin::Prefix));
    let regex = fields.take("regex").map(|field| {
        field.accept(field.patterns().read(field.string()?))?;
        field.accept(EnvoyRegex::parse(field.string()?)).map(Origin::Regex)
    });
    fields.finish();
    let mut given = [exact, prefix, regex].into_iter().flatten();
    let (one, more) = (given.next(), given.next());
    if one.is_none() || more.is_some() {
        item.report("must hold exactly one of `exact`, `prefix` and `regex`");
    }
    one.flatten()
}

fn method(item: &Cursor<'_>) -> Option<String> {
    let text = item.string()?;
    if !CORS_METHODS.contains(&text) {
        item.report(format_args!("must be one of {}", CORS_METHODS.join(", ")));
        return None;
    }
    Some(text.to_owned())
}
