//! A guardrail as it is written.

use super::{
    fields::{Cursor, Fields},
    yaml::Value,
};
use crate::language::{Glob, Guardrail, HttpStatus, Percentage};

/// The fields of a guardrail's `spec`.
pub(super) const FIELDS: [&str; 8] = [
    "namespaces",
    "services",
    "allowWildcards",
    "maxPercentage",
    "maxDelayMs",
    "httpStatuses",
    "requireExpiry",
    "maxDurationSeconds",
];

/// The most items of a list.
const MAX_ITEMS: usize = 1_000;

/// Reads the `spec` of a guardrail.
pub(super) fn spec(mut fields: Fields<'_>) -> Option<Guardrail> {
    let namespaces = fields.read("namespaces", globs);
    let services = fields.read("services", globs);
    let allow_wildcards = fields.read("allowWildcards", Cursor::boolean);
    let max_percentage =
        fields.read("maxPercentage", |field| field.accept(field.number()?.parse::<Percentage>()));
    let max_delay_ms = fields.read("maxDelayMs", |field| field.integer(0..=u32::MAX, " of milliseconds"));
    let http_statuses = fields.read("httpStatuses", statuses);
    let require_expiry = fields.read("requireExpiry", Cursor::boolean);
    let max_duration_seconds =
        fields.read("maxDurationSeconds", |field| field.integer(1..=u32::MAX, " of seconds"));
    fields.finish();
    Some(Guardrail {
        namespaces: namespaces.optional()?,
        services: services.optional()?,
        forbids_wildcards: !allow_wildcards.or(true)?,
        max_percentage: max_percentage.optional()?,
        max_delay_ms: max_delay_ms.optional()?,
        http_statuses: http_statuses.optional()?,
        require_expiry: require_expiry.or(false)?,
        max_duration_seconds: max_duration_seconds.optional()?,
    })
}

fn globs(field: &Cursor<'_>) -> Option<Vec<Glob>> {
    let globs: Vec<_> =
        bounded(field)?.map(|item| item.accept(item.string()?.to_owned().try_into())).collect();
    globs.into_iter().collect()
}

fn statuses(field: &Cursor<'_>) -> Option<Vec<HttpStatus>> {
    let status = |item: Cursor<'_>| item.accept(HttpStatus::try_from(item.number()?.parse().unwrap_or(0)));
    let statuses: Vec<_> = bounded(field)?.map(status).collect();
    statuses.into_iter().collect()
}

/// The items of a list that every policy is held against.
fn bounded<'n>(field: &Cursor<'n>) -> Option<impl Iterator<Item = Cursor<'n>>> {
    if matches!(field.value(), Value::List(items) if items.len() > MAX_ITEMS) {
        field.report(format_args!("must be at most {MAX_ITEMS} items"));
        return None;
    }
    field.items()
}
