//! Fields that hold one value of the language.

use super::{fields::Cursor, yaml::Value};
use crate::language::{Glob, Timestamp};

/// `a`, `b` or `c`.
pub fn or(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// One of some words; the first where the field is absent.
pub fn word<T: Copy>(field: Option<Cursor<'_>>, words: &[(&str, T)]) -> Option<T> {
    let Some(field) = field else { return words.first().map(|(_, value)| *value) };
    let text = field.string()?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        field
            .report(format_args!("must be {}", or(&words.iter().map(|(word, _)| *word).collect::<Vec<_>>())));
    }
    found
}

/// A glob; everything where the field is absent.
pub(super) fn glob(field: Option<Cursor<'_>>) -> Option<Glob> {
    match field {
        Some(field) => field.accept(field.string()?.to_owned().try_into()),
        None => Some(Glob::any()),
    }
}

/// An instant; `Some(None)` where the field is absent.
pub(super) fn instant(field: Option<Cursor<'_>>) -> Option<Option<Timestamp>> {
    let Some(field) = field else { return Some(None) };
    field.accept(Timestamp::parse(field.string()?)).map(Some)
}

/// The most items of a list.
const MAX_ITEMS: usize = 1_000;

/// Globs of names.
pub(super) fn globs(field: &Cursor<'_>) -> Option<Vec<Glob>> {
    let globs: Vec<_> =
        bounded(field)?.map(|item| item.accept(item.string()?.to_owned().try_into())).collect();
    globs.into_iter().collect()
}

/// The items of a list that every policy or application is held against.
pub(super) fn bounded<'n>(field: &Cursor<'n>) -> Option<impl Iterator<Item = Cursor<'n>>> {
    if matches!(field.value(), Value::List(items) if items.len() > MAX_ITEMS) {
        field.report(format_args!("must be at most {MAX_ITEMS} items"));
        return None;
    }
    field.items()
}
