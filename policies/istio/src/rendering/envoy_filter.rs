//! EnvoyFilters.

use serde_json::{Value, json};

use super::{
    binding::{self, Reach},
    frame::Frame,
    json::{object, set},
    part::Part,
};
use crate::{
    opinions::envoy_filter as opinions,
    resource::Kind,
    written::{ApplyTo, Dataplane, Direction, Entry, EnvoyFilter, Intent, LocalRateLimit, Patch},
};

pub(super) fn parts(filter: &EnvoyFilter, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let EnvoyFilter { intent, direction, priority, proxy_version } = filter;
    let binding = binding::of(entry, Reach::Requests, frame);
    let is_ambient = frame.dataplane() == Dataplane::Ambient;
    if let ApplyTo::Gateway(name) = &binding
        && is_ambient
    {
        let reason = format!("holds for every service of the waypoint `{name}`");
        frame.report(entry.warning("APP09", "applyTo", reason));
    }
    let context = match (direction, &binding) {
        (_, ApplyTo::Gateway(_)) if !is_ambient => "GATEWAY",
        // At a waypoint too the requests for a service come in.
        (Direction::Inbound, _) => "SIDECAR_INBOUND",
        (Direction::Outbound, _) => "SIDECAR_OUTBOUND",
    };
    let patches: Vec<_> = match intent {
        Intent::LocalRateLimit(limit) => vec![rate_limit(limit, entry, context)],
        Intent::Patches(patches) => patches.iter().map(|patch| self::patch(patch, context)).collect(),
    };
    let patches = patches.into_iter().map(|mut patch| {
        if let Some(version) = proxy_version
            && let Some(matched) = patch.get_mut("match")
        {
            let mut proxy = matched.get("proxy").cloned().unwrap_or_else(|| json!({}));
            set(&mut proxy, "proxyVersion", json!(version));
            set(matched, "proxy", proxy);
        }
        patch
    });
    let spec = json!({
        "configPatches": patches.collect::<Value>(),
        "priority": priority.unwrap_or(opinions::PRIORITY),
    });
    vec![Part::new(Kind::EnvoyFilter, spec).bound(binding)]
}

fn patch(patch: &Patch, context: &str) -> Value {
    let Patch { apply_to, matched, operation, value, patch } = patch;
    let mut matched = matched.clone().unwrap_or_else(|| json!({}));
    if matched.get("context").is_none() {
        set(&mut matched, "context", json!(context));
    }
    let change = object([("operation", Some(json!(operation))), ("value", value.clone())]);
    let mut rendered = json!({"applyTo": apply_to, "match": matched, "patch": change});
    if let Some(patch) = patch {
        patch.apply(&mut rendered);
    }
    rendered
}

/// Envoy's local rate limit, before the router.
fn rate_limit(limit: &LocalRateLimit, entry: &Entry, context: &str) -> Value {
    let LocalRateLimit { requests, per, burst, status } = limit;
    let name = entry.name.as_ref().map(|name| name.as_str());
    let named =
        |text: &str, mark: char| name.map_or_else(|| text.to_owned(), |name| format!("{text}{mark}{name}"));
    let all = json!({"default_value": {"denominator": "HUNDRED", "numerator": 100}});
    let config = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": named("hfi", '_'),
        "status": {"code": code(status.unwrap_or(opinions::STATUS))},
        "token_bucket": {
            "fill_interval": seconds(per.unwrap_or(opinions::PER).as_millis()),
            "max_tokens": burst.unwrap_or(*requests),
            "tokens_per_fill": requests,
        },
        "filter_enabled": all,
        "filter_enforced": all,
    });
    let manager = json!({
        "name": "envoy.filters.network.http_connection_manager",
        "subFilter": {"name": "envoy.filters.http.router"},
    });
    json!({
        "applyTo": "HTTP_FILTER",
        "match": {"context": context, "listener": {"filterChain": {"filter": manager}}},
        "patch": {
            "operation": "INSERT_BEFORE",
            "value": {"name": named("hfi.local_ratelimit", '.'), "typed_config": config},
        },
    })
}

/// A duration as the JSON of Protocol Buffers has it: in seconds alone.
fn seconds(millis: u64) -> String {
    match millis % 1_000 {
        0 => format!("{}s", millis / 1_000),
        rest => format!("{}.{rest:03}s", millis / 1_000),
    }
}

/// A status as Envoy's enumeration has it: the known ones by their names.
fn code(status: u32) -> Value {
    match status {
        429 => json!("TooManyRequests"),
        503 => json!("ServiceUnavailable"),
        other => json!(other),
    }
}
