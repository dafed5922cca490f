//! Limits on what the policies at and below a folder may do.

use crate::{
    fields::{Cursor, Fields, inside_out},
    glob::Glob,
    percentage::Percentage,
    policy::{Policy, Rule},
    reply::{HttpStatus, Reply},
    yaml::Value,
};

/// What the `spec` of a guardrail may hold.
pub(crate) const FIELDS: [&str; 8] = [
    "namespaces",
    "services",
    "allowWildcards",
    "maxPercentage",
    "maxDelayMs",
    "httpStatuses",
    "requireExpiry",
    "maxDurationSeconds",
];

/// Whether a text that cannot be read has a word in it that a guardrail has.
pub(crate) fn is_spoken_of(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    text.contains("guardrail") || FIELDS.iter().any(|field| text.contains(&field.to_ascii_lowercase()))
}

/// The most items of a list.
const MAX_ITEMS: usize = 1_000;

/// What a guardrail allows; what it does not name it does not limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guardrail {
    pub namespaces: Option<Vec<Glob>>,
    pub services: Option<Vec<Glob>>,
    pub forbids_wildcards: bool,
    pub max_percentage: Option<Percentage>,
    pub max_delay_ms: Option<u32>,
    pub http_statuses: Option<Vec<HttpStatus>>,
    pub require_expiry: bool,
    pub max_duration_seconds: Option<u32>,
}

/// A limit that a policy breaks: the field that does, and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub struct Breach {
    pub field: String,
    pub message: String,
}

impl Guardrail {
    /// Reads the `spec` of a guardrail.
    pub(crate) fn read(mut fields: Fields<'_>) -> Option<Self> {
        let namespaces = fields.take("namespaces").map(|field| globs(&field));
        let services = fields.take("services").map(|field| globs(&field));
        let allow_wildcards = fields.take("allowWildcards").map_or(Some(true), |field| field.boolean());
        let max_percentage =
            fields.take("maxPercentage").map(|field| field.accept(field.number()?.parse::<Percentage>()));
        let max_delay_ms =
            fields.take("maxDelayMs").map(|field| field.integer(0..=u32::MAX, " of milliseconds"));
        let http_statuses = fields.take("httpStatuses").map(|field| statuses(&field));
        let require_expiry = fields.take("requireExpiry").map_or(Some(false), |field| field.boolean());
        let max_duration_seconds =
            fields.take("maxDurationSeconds").map(|field| field.integer(1..=u32::MAX, " of seconds"));
        fields.finish();
        Some(Self {
            namespaces: inside_out(namespaces)?,
            services: inside_out(services)?,
            forbids_wildcards: !allow_wildcards?,
            max_percentage: inside_out(max_percentage)?,
            max_delay_ms: inside_out(max_delay_ms)?,
            http_statuses: inside_out(http_statuses)?,
            require_expiry: require_expiry?,
            max_duration_seconds: inside_out(max_duration_seconds)?,
        })
    }

    /// Whether there is anything that it limits.
    pub(crate) fn limits(&self) -> bool {
        *self != Self::default()
    }

    /// Every limit that the policy breaks.
    pub fn breaches(&self, policy: &Policy) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let mut breach =
            |field: &str, message: String| breaches.push(Breach { field: field.to_owned(), message });
        for (field, glob, allowed) in [
            ("spec.selector.namespace", &policy.selector.namespace, &self.namespaces),
            ("spec.selector.service", &policy.selector.service, &self.services),
        ] {
            if let Some(allowed) =
                allowed.as_ref().filter(|allowed| !allowed.iter().any(|wide| wide.includes(glob)))
            {
                breach(field, format!("`{glob}` is not within {}", list(allowed)));
            }
            if self.forbids_wildcards && glob.as_str().contains('*') {
                breach(field, format!("`{glob}` has a `*`; name the one that is meant"));
            }
        }
        let expires = policy.expires_at.is_some();
        for (position, rule) in policy.rules.iter().enumerate() {
            let at = |field: &str| format!("spec.rules[{position}].fault{field}");
            self.rule_breaches(policy, rule, expires, |field, message| breach(&at(field), message));
        }
        breaches
    }

    fn rule_breaches(
        &self,
        policy: &Policy,
        rule: &Rule,
        expires: bool,
        mut breach: impl FnMut(&str, String),
    ) {
        let fault = &rule.fault;
        if let Some(max) = self.max_percentage.filter(|max| fault.percentage > *max) {
            breach(".percentage", format!("{} is above {max}", fault.percentage));
        }
        let hold = fault.start_delay_ms + fault.delay.map_or(0, |delay| delay.max_ms);
        if let Some(max) = self.max_delay_ms.filter(|max| hold > *max) {
            breach("", format!("holds a request for {hold} ms, more than {max}"));
        }
        if let (Some(abort), Some(allowed)) = (&fault.abort, &self.http_statuses) {
            match &abort.reply {
                Reply::Http { status, .. } if !allowed.contains(status) => {
                    breach(".abort.httpStatus", format!("{status} is not one of {}", list(allowed)));
                }
                Reply::Http { .. } => {}
                Reply::Grpc { status, .. } => {
                    breach(".abort.grpcStatus", format!("{status} is not one of {}", list(allowed)));
                }
            }
        }
        if self.require_expiry && fault.duration_seconds == 0 && !expires {
            breach("", "has no end; give it `duration_seconds`, or the policy `expiresAt`".to_owned());
        }
        if let Some(max) = self.max_duration_seconds {
            let window = policy
                .starts_at
                .zip(policy.expires_at)
                .map(|(start, end)| end.millis_since(start).div_ceil(1_000));
            let lasts = [Some(u64::from(fault.duration_seconds)).filter(|seconds| *seconds > 0), window];
            match lasts.into_iter().flatten().min() {
                Some(seconds) if seconds <= u64::from(max) => {}
                Some(seconds) => breach("", format!("is in force for {seconds} seconds, more than {max}")),
                None => breach(
                    "",
                    format!(
                        "is in force without a known end; give it `duration_seconds` of at most {max}, or the policy `startsAt` and `expiresAt`"
                    ),
                ),
            }
        }
    }
}

/// The first of many values, and how many more there are.
fn list<T: ToString>(values: &[T]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<_> = values.iter().take(SHOWN).map(|value| format!("`{}`", value.to_string())).collect();
    let more = values.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
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
