//! Fields that hold one value, or values of one kind.

use std::collections::BTreeMap;

use policies::{
    language::{HeaderName, Percentage},
    reading::{Cursor, Value},
};

use crate::values::{Duration, Host, Label, LabelPairs, ServiceRef, key_error, value_error};

/// The most items of a list, and entries of a map. One file cannot make the rules compare more.
pub(super) const MAX_ITEMS: usize = 1_000;

/// Reads each item, also after one that is invalid. A list without items is a mistake: for Istio it often means
/// that there is no list.
pub(super) fn items<T>(field: &Cursor<'_>, read: impl FnMut(Cursor<'_>) -> Option<T>) -> Option<Vec<T>> {
    if let Value::List(items) = field.value()
        && items.len() > MAX_ITEMS
    {
        field.report(format_args!("has {} items; write at most {MAX_ITEMS}", items.len()));
        return None;
    }
    let items: Vec<_> = field.items()?.map(read).collect();
    if items.is_empty() {
        field.report("is empty; leave it out, or write an item");
        return None;
    }
    items.into_iter().collect()
}

/// A string with something in it.
pub(super) fn text(field: &Cursor<'_>) -> Option<String> {
    let text = field.string()?;
    if text.is_empty() {
        field.report("is empty");
        return None;
    }
    Some(text.to_owned())
}

pub(super) fn label(field: &Cursor<'_>) -> Option<Label> {
    field.accept(field.string()?.to_owned().try_into())
}

pub(super) fn host(field: &Cursor<'_>) -> Option<Host> {
    field.accept(field.string()?.try_into())
}

/// A duration of whole milliseconds.
pub(super) fn duration(field: &Cursor<'_>) -> Option<Duration> {
    match field.value() {
        Value::Number(number) => {
            field.report(format_args!("must have a unit; write `{number}s` for seconds"));
            None
        }
        _ => field.accept(field.string()?.parse()),
    }
}

/// A map of strings.
pub(super) fn strings(field: &Cursor<'_>) -> Option<BTreeMap<String, String>> {
    let Value::Map(entries) = field.value() else {
        field.report(format_args!("must be a map, not {}", field.value().kind()));
        return None;
    };
    if entries.len() > MAX_ITEMS {
        field.report(format_args!("has {} entries; write at most {MAX_ITEMS}", entries.len()));
        return None;
    }
    let pairs: Vec<_> =
        field.entries().map(|(key, value)| Some((key.to_owned(), value.string()?.to_owned()))).collect();
    pairs.into_iter().collect()
}

/// Labels that pods or endpoints must have; at least one, since none would mean all of them.
pub(super) fn selector(field: &Cursor<'_>) -> Option<LabelPairs> {
    let labels = labels(field)?;
    if labels.is_empty() {
        field.report("is empty, which would select everything; write a label");
        return None;
    }
    Some(labels)
}

/// Labels.
pub(super) fn labels(field: &Cursor<'_>) -> Option<LabelPairs> {
    let labels = strings(field)?;
    let mut is_right = true;
    for (key, value) in field.entries() {
        let text = labels.get(key).map(String::as_str).unwrap_or_default();
        for error in key_error(key).into_iter().chain(value_error(text)) {
            value.report(error);
            is_right = false;
        }
    }
    is_right.then_some(labels)
}

/// A service, by whatever name.
pub(super) fn service(field: &Cursor<'_>) -> Option<ServiceRef> {
    field.accept(ServiceRef::parse(field.string()?))
}

pub(super) fn header_name(field: &Cursor<'_>) -> Option<String> {
    checked_header_name(field.string()?, field)
}

/// A name, which stands in the field or leads to it.
pub(super) fn checked_header_name(name: &str, field: &Cursor<'_>) -> Option<String> {
    if name.starts_with(':') {
        field.report(format_args!(
            "`{name}` is for Envoy to write; change the path and the host by `rewrite`"
        ));
        return None;
    }
    field.accept(HeaderName::try_from(name.to_owned())).map(String::from)
}

/// A share in percent.
pub(super) fn percentage(field: &Cursor<'_>) -> Option<Percentage> {
    field.accept(field.number()?.parse())
}

/// The number of a port.
pub(super) fn port(field: &Cursor<'_>) -> Option<u32> {
    field.integer(1..=65535, "")
}
