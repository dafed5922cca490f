//! A rule.

use std::collections::BTreeMap;

use policies::{
    language::HeaderName,
    reading::{Cursor, Fields, Value},
};

use super::source::{self, Sources};
use crate::{
    values::MergePatch,
    written::{
        fields::{items, port, text},
        json, path_pattern,
        scope::Scope,
    },
};

/// Requests: everything in `is` holds, and nothing in `not`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    pub is: Conditions,
    pub not: Conditions,
    pub patch: Option<MergePatch>,
}

/// Of each list one must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    pub from: Sources,
    pub methods: Vec<String>,
    pub paths: Vec<String>,
    pub ports: Vec<u32>,
    pub hosts: Vec<String>,
    /// Claims of the token, with their values.
    pub claims: BTreeMap<String, Vec<String>>,
    pub headers: BTreeMap<String, Vec<String>>,
}

impl std::ops::Deref for AccessRule {
    type Target = Conditions;

    fn deref(&self) -> &Conditions {
        &self.is
    }
}

impl Conditions {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn read(item: &Cursor<'_>, scope: &Scope<'_>) -> Option<AccessRule> {
    let mut fields = item.clone().fields()?;
    let is = conditions(&mut fields, scope);
    let not = fields.read("not", |field| {
        let mut fields = field.clone().fields()?;
        let not = conditions(&mut fields, scope);
        fields.finish();
        if not.as_ref().is_some_and(Conditions::is_empty) {
            field.report("is empty; leave it out");
        }
        not
    });
    let patch = fields.read("spec", json::patch).optional();
    fields.finish();
    let rule = AccessRule { is: is?, not: not.or(Conditions::default())?, patch: patch? };
    if rule.is.is_empty() && rule.not.is_empty() && rule.patch.is_none() {
        item.report("is empty, which would be everything; write `from`, `methods`, `paths`, `ports` or another condition");
        return None;
    }
    // What is excepted stands in every source, and one source cannot have both for Istio.
    let (is, not) = (&rule.is.from, &rule.not.from);
    let is_by_namespace = |from: &Sources| !from.namespaces.is_empty() || from.is_anybody_of_mesh;
    let mixes = !not.service_accounts.is_empty() && (is_by_namespace(is) || is_by_namespace(not));
    if mixes || !is.service_accounts.is_empty() && is_by_namespace(not) {
        item.report("has service accounts beside namespaces or `*` under `from` and `not`, which Istio refuses; write one of them");
        return None;
    }
    Some(rule)
}

fn conditions(fields: &mut Fields<'_>, scope: &Scope<'_>) -> Option<Conditions> {
    let from = fields.read("from", |field| source::read(field, scope)).or(Sources::default());
    let methods = fields.read("methods", |field| items(field, |item| method(&item))).or(Vec::new());
    let paths = fields.read("paths", |field| items(field, |item| path_pattern::read(&item))).or(Vec::new());
    let ports = fields.read("ports", |field| items(field, |item| port(&item))).or(Vec::new());
    let hosts = fields.read("hosts", |field| items(field, |item| text(&item))).or(Vec::new());
    let claims = fields.read("claims", |field| lists(field, |_, _| Some(()))).or(BTreeMap::new());
    let headers = fields
        .read("headers", |field| {
            lists(field, |name, value| value.accept(HeaderName::try_from(name.to_owned())).map(|_| ()))
        })
        .or(BTreeMap::new());
    Some(Conditions {
        from: from?,
        methods: methods?,
        paths: paths?,
        ports: ports?,
        hosts: hosts?,
        claims: claims?,
        headers: headers?,
    })
}

/// Names, and the values of which one must be there.
fn lists(
    field: &Cursor<'_>,
    check: impl Fn(&str, &Cursor<'_>) -> Option<()>,
) -> Option<BTreeMap<String, Vec<String>>> {
    if !matches!(field.value(), Value::Map(entries) if !entries.is_empty()) {
        field.report("must be a map of names and lists of values, such as `{group: [admins]}`");
        return None;
    }
    let lists = field.entries().map(|(name, list)| {
        let known = check(name, &list);
        let values = items(&list, |item| text(&item));
        known.and(Some((name.to_owned(), values?)))
    });
    lists.collect::<Vec<_>>().into_iter().collect()
}

/// A method, which Istio compares letter by letter.
fn method(item: &Cursor<'_>) -> Option<String> {
    let text = text(item)?;
    let upper = text.to_ascii_uppercase();
    if text != upper {
        item.report(format_args!("`{text}` never matches, since methods are in upper case; write `{upper}`"));
        return None;
    }
    Some(text)
}
