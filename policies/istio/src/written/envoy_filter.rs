//! `envoyFilter`: what nothing else can.

use policies::reading::{Cursor, Fields, word};
use serde_json::Value;

use super::{
    fields::{duration, items, text},
    json,
    scope::Scope,
};
use crate::values::{Duration, MergePatch};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyFilter {
    pub intent: Intent,
    pub direction: Direction,
    /// Absent: after others.
    pub priority: Option<i32>,
    /// The versions of proxies that it is for, as a regex.
    pub proxy_version: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    LocalRateLimit(LocalRateLimit),
    Patches(Vec<Patch>),
}

/// The requests that a proxy takes in a time, whoever sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRateLimit {
    pub requests: u32,
    pub per: Option<Duration>,
    /// Absent: as many as `requests`.
    pub burst: Option<u32>,
    pub status: Option<u32>,
}

/// A change of Envoy's configuration, in Istio's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    pub apply_to: String,
    pub matched: Option<Value>,
    pub operation: String,
    pub value: Option<Value>,
    pub patch: Option<MergePatch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// The shortest time that Envoy fills a bucket in.
const MIN_FILL_MILLIS: u64 = 50;

pub(super) fn read(fields: &mut Fields<'_>, _: &Scope<'_>) -> Option<EnvoyFilter> {
    let limit =
        fields.take("localRateLimit").map(|field| local_rate_limit(&field).map(Intent::LocalRateLimit));
    let patches = fields.take("patches").map(|field| items(&field, |item| patch(&item)).map(Intent::Patches));
    let directions = [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
    let direction = word(fields.take("direction"), &directions);
    let priority = fields.read("priority", |field| {
        let priority = field.signed()?;
        if priority == 0 {
            field.report("is 0, which leaves the order undefined; write another number");
        }
        Some(priority)
    });
    let proxy_version = fields.read("proxyVersion", text).optional();
    if limit.is_some() == patches.is_some() {
        fields.cursor().report("must hold exactly one of `localRateLimit` and `patches`");
    }
    Some(EnvoyFilter {
        intent: limit.or(patches)??,
        direction: direction?,
        priority: priority.optional()?,
        proxy_version: proxy_version?,
    })
}

fn local_rate_limit(field: &Cursor<'_>) -> Option<LocalRateLimit> {
    let mut fields = field.clone().fields()?;
    let requests = fields.require("requests").and_then(|field| field.integer(1..=u32::MAX, ""));
    let per = fields.read("per", |field| {
        let per = duration(field)?;
        let is_long = per.as_millis() >= MIN_FILL_MILLIS;
        if !is_long {
            field.report(format_args!("must be at least {MIN_FILL_MILLIS}ms for Envoy"));
        }
        is_long.then_some(per)
    });
    let burst = fields.read("burst", |field| field.integer(1..=u32::MAX, "")).optional();
    let status = fields.read("status", status).optional();
    fields.finish();
    let (requests, burst) = (requests?, burst?);
    if burst.is_some_and(|burst| burst < requests) {
        field.report(
            "has a `burst` smaller than `requests`, so that the rest would never be used; make it larger",
        );
    }
    Some(LocalRateLimit { requests, per: per.optional()?, burst, status: status? })
}

/// A status of an error that Envoy's enumeration has. Proxies refuse a listener with another one.
fn status(field: &Cursor<'_>) -> Option<u32> {
    let status = field.integer(400..=599, " of a status")?;
    let is_known = matches!(status, 400..=417 | 421..=424 | 426 | 428 | 429 | 431 | 500..=508 | 510 | 511);
    if !is_known {
        field.report(format_args!("is {status}, which Envoy does not know; write one such as 429 or 503"));
    }
    is_known.then_some(status)
}

fn patch(item: &Cursor<'_>) -> Option<Patch> {
    let mut fields = item.clone().fields()?;
    let apply_to = fields.require("applyTo").and_then(|field| text(&field));
    let matched = fields.read("match", json::value).optional();
    let operation = fields.require("operation").and_then(|field| text(&field));
    let value = fields.read("value", json::value).optional();
    let patch = fields.read("spec", json::patch).optional();
    fields.finish();
    let (operation, value) = (operation?, value?);
    if operation != "REMOVE" && value.is_none() {
        item.report(format_args!("has no `value` to {operation}; write it"));
        return None;
    }
    Some(Patch { apply_to: apply_to?, matched: matched?, operation, value, patch: patch? })
}
