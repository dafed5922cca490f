//! Rules of an AuthorizationPolicy.

mod action;
mod conditions;
mod operations;
mod paths;
mod sources;

use super::subject::{Rule, Subject};
use crate::field::Field;

pub(super) const TABLES: [&[Rule]; 4] = [action::RULES, sources::RULES, operations::RULES, conditions::RULES];

/// The attributes of an operation, and those of a source, that only HTTP has.
const OF_OPERATIONS: [&str; 6] = ["methods", "notMethods", "paths", "notPaths", "hosts", "notHosts"];
const OF_SOURCES: [&str; 2] = ["requestPrincipals", "notRequestPrincipals"];

/// What a rule says that is known for HTTP only.
pub(crate) fn of_http<'a>(rule: &Field<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    let operations = rule.get("to").items().map(|to| to.get("operation"));
    operations.flat_map(|operation| present(&operation, &OF_OPERATIONS)).chain(of_callers(rule))
}

/// The same without what it says under `to`.
fn of_callers<'a>(rule: &Field<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    let sources = rule.get("from").items().map(|from| from.get("source"));
    let keys = rule.get("when").items().map(|when| when.get("key"));
    let keys = keys.filter(|key| key.text().is_some_and(|text| text.starts_with("request.")));
    sources.flat_map(|source| present(&source, &OF_SOURCES)).chain(keys)
}

fn present<'a>(holder: &Field<'a>, names: &[&'static str]) -> Vec<Field<'a>> {
    holder.present(names).into_iter().map(|name| holder.get(name)).collect()
}

/// The sources of all rules.
fn sources<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("rules").flat_map(|rule| rule.get("from").items()).map(|from| from.get("source"))
}

/// The operations of all rules.
fn operations<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("rules").flat_map(|rule| rule.get("to").items()).map(|to| to.get("operation"))
}

/// The texts of a list and of the one that excludes: `paths` and `notPaths`.
fn both<'a>(holder: &Field<'a>, name: &'static str) -> Vec<(&'a str, Field<'a>)> {
    let mut letters = name.chars();
    let capital = letters.next().map(|first| first.to_ascii_uppercase()).into_iter();
    let excluding: String = "not".chars().chain(capital).chain(letters).collect();
    let excluded = holder.entries().filter(|(key, _)| *key == excluding);
    holder.get(name).texts().chain(excluded.flat_map(|(_, at)| at.texts())).collect()
}
