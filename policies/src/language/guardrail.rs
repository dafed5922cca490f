//! Guardrails: limits on the policies, and on the Istio configuration, in a directory and below it.

use super::{
    fault::Fault,
    istio_limits::IstioLimits,
    policy::{Policy, Rule},
    reply::{HttpStatus, Reply},
    selector::Selector,
    values::{Glob, Percentage},
};

/// Limits on policies. A limit that is absent allows everything. Those on Istio configuration are not judged here.
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
    pub istio: IstioLimits,
}

/// A limit that a policy breaks: the field that does, and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub struct Breach {
    pub field: String,
    pub message: String,
}

impl Guardrail {
    /// True if it limits anything.
    pub(crate) fn limits(&self) -> bool {
        *self != Self::default()
    }

    /// Every limit that the policy breaks.
    pub fn breaches(&self, policy: &Policy) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let mut breach =
            |field: &str, message: String| breaches.push(Breach { field: field.to_owned(), message });
        let Selector { target, namespace } = &policy.selector;
        let namespaces = self.namespaces.as_ref();
        let namespaces = namespaces.filter(|allowed| !allowed.iter().any(|wide| wide.includes(namespace)));
        let services = self.services.as_ref();
        let services = services.filter(|allowed| !allowed.iter().any(|wide| target.is_within(wide)));
        let of_target = if target.is_host() { "spec.selector.host" } else { "spec.selector.service" };
        for (field, name, exceeded) in [
            ("spec.selector.namespace", namespace.as_str(), namespaces),
            (of_target, target.as_str(), services),
        ] {
            if let Some(allowed) = exceeded {
                breach(field, format!("`{name}` is not within {}", list(allowed)));
            }
            if self.forbids_wildcards && name.contains('*') {
                breach(field, format!("`{name}` has a `*`; name the one that is meant"));
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
        // Each limit and each field is named, so that none is forgotten here.
        let Self {
            max_percentage,
            max_delay_ms,
            http_statuses,
            require_expiry,
            max_duration_seconds,
            // Of the whole policy, in `breaches`.
            namespaces: _,
            services: _,
            forbids_wildcards: _,
            // Not of policies.
            istio: _,
        } = self;
        // No limit says anything of which requests are matched.
        let Rule { matches: _, fault } = rule;
        let Fault { percentage, sticky_by: _, start_delay_ms, duration_seconds, delay, abort } = fault;
        if let Some(max) = max_percentage.filter(|max| percentage > max) {
            breach(".percentage", format!("{percentage} is above {max}"));
        }
        let hold = start_delay_ms + delay.map_or(0, |delay| delay.max_ms);
        if let Some(max) = max_delay_ms.filter(|max| hold > *max) {
            breach("", format!("holds a request for {hold} ms, more than {max}"));
        }
        if let (Some(abort), Some(allowed)) = (abort, http_statuses) {
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
        if *require_expiry && *duration_seconds == 0 && !expires {
            breach("", "has no end; give it `duration_seconds`, or the policy `expiresAt`".to_owned());
        }
        if let Some(max) = *max_duration_seconds {
            let window = policy
                .starts_at
                .zip(policy.expires_at)
                .map(|(start, end)| end.millis_since(start).div_ceil(1_000));
            let lasts = [Some(u64::from(*duration_seconds)).filter(|seconds| *seconds > 0), window];
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
