//! Rules of an AuthorizationPolicy.

mod action;
mod conditions;
mod operations;
mod paths;
mod sources;

use super::subject::{Rule, Subject};
use crate::field::Field;

pub(super) const TABLES: [&[Rule]; 4] = [action::RULES, sources::RULES, operations::RULES, conditions::RULES];

/// The sources of all rules.
fn sources<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("rules").flat_map(|rule| rule.get("from").items()).map(|from| from.get("source"))
}

/// The operations of all rules.
fn operations<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    subject.each("rules").flat_map(|rule| rule.get("to").items()).map(|to| to.get("operation"))
}

/// The texts of a list and of the one that excludes: `paths` and `notPaths`.
fn both<'a>(holder: &Field<'a>, name: &str) -> Vec<(&'a str, Field<'a>)> {
    let mut letters = name.chars();
    let capital = letters.next().map(|first| first.to_ascii_uppercase()).into_iter();
    let excluding: String = "not".chars().chain(capital).chain(letters).collect();
    holder.get(name).texts().chain(holder.get(&excluding).texts()).collect()
}
