//! `telemetry`: how much of the application is seen.

mod metrics;

use std::collections::BTreeMap;

use policies::{
    language::Percentage,
    reading::{Cursor, Fields, Value},
};

pub use self::metrics::Metrics;
use super::{
    fields::{percentage, text},
    scope::Scope,
};

/// At least one of the three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    pub traces: Option<Traces>,
    pub logs: Option<Logs>,
    pub metrics: Option<Metrics>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    pub percent: Option<Percentage>,
    pub provider: Option<String>,
    pub tags: BTreeMap<String, TraceTag>,
}

/// Where the value of a tag comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceTag {
    Literal(String),
    Header(String),
    Environment(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logs {
    Off,
    All,
    /// Answers of 400 and more.
    Errors,
    Filter {
        expression: String,
        provider: Option<String>,
    },
}

pub(super) fn read(fields: &mut Fields<'_>, _: &Scope<'_>) -> Option<Telemetry> {
    let traces = fields.read("traces", traces).optional();
    let logs = fields.read("logs", logs).optional();
    let metrics = fields.read("metrics", metrics::read).optional();
    let telemetry = Telemetry { traces: traces?, logs: logs?, metrics: metrics? };
    if telemetry.traces.is_none() && telemetry.logs.is_none() && telemetry.metrics.is_none() {
        fields.cursor().report("says nothing; write `traces`, `logs` or `metrics`");
    }
    Some(telemetry)
}

fn traces(field: &Cursor<'_>) -> Option<Traces> {
    if let Value::Number(_) = field.value() {
        return Some(Traces { percent: Some(percentage(field)?), ..Traces::default() });
    }
    let mut fields = field.clone().fields()?;
    let percent = fields.read("percent", percentage).optional();
    let provider = fields.read("provider", text).optional();
    let tags = fields.read("tags", tags).or(BTreeMap::new());
    fields.finish();
    let traces = Traces { percent: percent?, provider: provider?, tags: tags? };
    if traces == Traces::default() {
        field.report("is empty; write `percent`, `provider` or `tags`");
    }
    Some(traces)
}

fn tags(field: &Cursor<'_>) -> Option<BTreeMap<String, TraceTag>> {
    if !matches!(field.value(), Value::Map(entries) if !entries.is_empty()) {
        field.report("must be a map of tags, such as `{team: web}`");
        return None;
    }
    let tags = field.entries().map(|(name, tag)| Some((name.to_owned(), self::tag(&tag)?)));
    tags.collect::<Vec<_>>().into_iter().collect()
}

fn tag(field: &Cursor<'_>) -> Option<TraceTag> {
    if !matches!(field.value(), Value::Map(_)) {
        return text(field).map(TraceTag::Literal);
    }
    let mut fields = field.clone().fields()?;
    let header = fields.take("header").map(|field| text(&field).map(TraceTag::Header));
    let variable = fields.take("env").map(|field| text(&field).map(TraceTag::Environment));
    fields.finish();
    if header.is_some() == variable.is_some() {
        field.report("must be a string, `{header: NAME}` or `{env: NAME}`");
        return None;
    }
    header.or(variable).flatten()
}

fn logs(field: &Cursor<'_>) -> Option<Logs> {
    match field.value() {
        Value::String(word) if word == "off" => Some(Logs::Off),
        Value::String(word) if word == "errors" => Some(Logs::Errors),
        Value::String(word) if word == "all" => Some(Logs::All),
        Value::Map(_) => {
            let mut fields = field.clone().fields()?;
            let expression = fields.require("filter").and_then(|field| text(&field));
            let provider = fields.read("provider", text).optional();
            fields.finish();
            Some(Logs::Filter { expression: expression?, provider: provider? })
        }
        _ => {
            field.report("must be `off`, `errors`, `all` or `{filter: CEL}`");
            None
        }
    }
}
