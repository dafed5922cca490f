//! A guardrail as it is written.

use super::{
    fields::{Cursor, Fields},
    istio_limits,
    values::{bounded, globs},
};
use crate::language::{Guardrail, HttpStatus, IstioLimits, Percentage};

/// The fields of a guardrail's `spec` that bind policies. A file that cannot be read and has the word `istio` in it
/// most often is not a guardrail.
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
    let istio = fields.read("istio", istio_limits::read);
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
        istio: istio.or(IstioLimits::default())?,
    })
}

fn statuses(field: &Cursor<'_>) -> Option<Vec<HttpStatus>> {
    let status = |item: Cursor<'_>| item.accept(HttpStatus::try_from(item.number()?.parse().unwrap_or(0)));
    let statuses: Vec<_> = bounded(field)?.map(status).collect();
    statuses.into_iter().collect()
}
