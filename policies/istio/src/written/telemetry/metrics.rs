//! `metrics`.

use std::collections::BTreeMap;

use policies::reading::{Cursor, Value, or};

use crate::written::fields::{items, text};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metrics {
    Off,
    /// Metrics that are not counted, and labels of all metrics: their values, or none to take one away.
    Changed {
        drop: Vec<String>,
        tags: BTreeMap<String, Option<String>>,
        provider: Option<String>,
    },
}

/// The metrics of Istio. Another name would be one of a metric that somebody made.
const STANDARD: [&str; 11] = [
    "ALL_METRICS",
    "REQUEST_COUNT",
    "REQUEST_DURATION",
    "REQUEST_SIZE",
    "RESPONSE_SIZE",
    "TCP_OPENED_CONNECTIONS",
    "TCP_CLOSED_CONNECTIONS",
    "TCP_SENT_BYTES",
    "TCP_RECEIVED_BYTES",
    "GRPC_REQUEST_MESSAGES",
    "GRPC_RESPONSE_MESSAGES",
];

pub(super) fn read(field: &Cursor<'_>) -> Option<Metrics> {
    match field.value() {
        Value::String(word) if word == "off" => return Some(Metrics::Off),
        Value::Map(_) => {}
        _ => {
            field.report("must be `off` or `{drop: […], tags: {…}}`");
            return None;
        }
    }
    let mut fields = field.clone().fields()?;
    let drop = fields.read("drop", |field| items(field, |item| metric(&item))).or(Vec::new());
    let tags = fields.read("tags", tags).or(BTreeMap::new());
    let provider = fields.read("provider", text).optional();
    fields.finish();
    let (drop, tags, provider) = (drop?, tags?, provider?);
    if drop.is_empty() && tags.is_empty() {
        field.report("must hold `drop` or `tags`");
    }
    Some(Metrics::Changed { drop, tags, provider })
}

fn metric(item: &Cursor<'_>) -> Option<String> {
    let name = text(item)?;
    if !STANDARD.contains(&name.as_str()) {
        item.report(format_args!("must be {}", or(&STANDARD)));
        return None;
    }
    Some(name)
}

fn tags(field: &Cursor<'_>) -> Option<BTreeMap<String, Option<String>>> {
    if !matches!(field.value(), Value::Map(entries) if !entries.is_empty()) {
        field.report("must be a map of labels and expressions, such as `{team: \"'web'\"}`");
        return None;
    }
    let tags = field.entries().map(|(name, tag)| {
        let value = if *tag.value() == Value::Null { None } else { Some(text(&tag)?) };
        Some((name.to_owned(), value))
    });
    tags.collect::<Vec<_>>().into_iter().collect()
}
