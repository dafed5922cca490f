//! Telemetries.

use serde_json::{Map, Value, json};

use super::{
    binding::{self, Reach},
    frame::Frame,
    json::{number, object, some},
    part::Part,
};
use crate::{
    opinions::telemetry as opinions,
    resource::Kind,
    written::{Entry, Logs, Metrics, Telemetry, TraceTag, Traces},
};

pub(super) fn parts(telemetry: &Telemetry, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let Telemetry { traces, logs, metrics } = telemetry;
    let spec = object([
        ("tracing", traces.as_ref().map(|traces| json!([tracing(traces)]))),
        ("accessLogging", logs.as_ref().map(|logs| json!([access_logging(logs)]))),
        ("metrics", metrics.as_ref().map(|metrics| json!([self::metrics(metrics)]))),
    ]);
    vec![Part::new(Kind::Telemetry, spec).bound(binding::of(entry, Reach::Requests, frame))]
}

fn providers(name: &str) -> Value {
    json!([{"name": name}])
}

fn tracing(Traces { percent, provider, tags }: &Traces) -> Value {
    let tag = |(name, tag): (&String, &TraceTag)| {
        let tag = match tag {
            TraceTag::Literal(value) => json!({"literal": {"value": value}}),
            TraceTag::Header(header) => json!({"header": {"name": header}}),
            TraceTag::Environment(variable) => json!({"environment": {"name": variable}}),
        };
        (name.clone(), tag)
    };
    object([
        ("randomSamplingPercentage", percent.map(number)),
        ("providers", provider.as_ref().map(|provider| providers(provider))),
        ("customTags", some(tags.iter().map(tag).collect::<Map<_, _>>())),
    ])
}

fn access_logging(logs: &Logs) -> Value {
    let filtered = |expression: &str, provider: &str| json!({"filter": {"expression": expression}, "providers": providers(provider)});
    match logs {
        Logs::Off => json!({"disabled": true, "providers": providers(opinions::LOGS)}),
        Logs::All => json!({"providers": providers(opinions::LOGS)}),
        Logs::Errors => filtered(opinions::ERRORS, opinions::LOGS),
        Logs::Filter { expression, provider } => {
            filtered(expression, provider.as_deref().unwrap_or(opinions::LOGS))
        }
    }
}

fn metrics(metrics: &Metrics) -> Value {
    let (overrides, provider) = match metrics {
        Metrics::Off => (vec![json!({"disabled": true})], None),
        Metrics::Changed { drop, tags, provider } => {
            let dropped = drop.iter().map(|metric| json!({"match": {"metric": metric}, "disabled": true}));
            let tag = |(name, value): (&String, &Option<String>)| {
                let change = match value {
                    Some(value) => json!({"operation": "UPSERT", "value": value}),
                    None => json!({"operation": "REMOVE"}),
                };
                (name.clone(), change)
            };
            let tags = some(tags.iter().map(tag).collect::<Map<_, _>>());
            let tagged = tags.map(|tags| json!({"match": {"metric": "ALL_METRICS"}, "tagOverrides": tags}));
            // A later override wins, and what is dropped stays dropped.
            (tagged.into_iter().chain(dropped).collect(), provider.as_deref())
        }
    };
    json!({"overrides": overrides, "providers": providers(provider.unwrap_or(opinions::METRICS))})
}
