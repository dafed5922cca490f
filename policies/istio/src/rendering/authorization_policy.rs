//! AuthorizationPolicies.

mod rule;
mod waypoint;

use serde_json::{Value, json};

pub(super) use self::waypoint::SUFFIX as WAYPOINT;
use super::{
    binding::{self, Reach},
    frame::Frame,
    json::{object, set},
    part::Part,
};
use crate::{
    opinions::authorization_policy as opinions,
    resource::Kind,
    written::{Access, AccessRule, AuthorizationPolicy, Entry},
};

pub(super) fn parts(policy: &AuthorizationPolicy, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let AuthorizationPolicy { access, is_shadow, only_via_waypoint: _ } = policy;
    let binding = binding::of(entry, reach(policy), frame);
    let part = |suffix, action: &str, rules: &[AccessRule]| {
        let rules = rules.iter().map(rule::rule).collect::<Vec<Value>>();
        let spec =
            object([("action", Some(json!(action))), ("rules", (!rules.is_empty()).then(|| json!(rules)))]);
        let mut part = Part::new(Kind::AuthorizationPolicy, spec).named(suffix).bound(binding.clone());
        if *is_shadow {
            let (key, value) = opinions::DRY_RUN;
            part.annotations.insert(key.to_owned(), value.to_owned());
        }
        part
    };
    let mut parts = match access {
        // Without rules nothing is allowed.
        Access::DenyAll => vec![part("allow", "ALLOW", &[])],
        Access::Custom { provider, check } => {
            let mut part = part("check", "CUSTOM", check);
            set(&mut part.spec, "provider", json!({"name": provider}));
            vec![part]
        }
        Access::Rules { allow, deny, audit } => {
            let lists = [("allow", "ALLOW", allow), ("deny", "DENY", deny), ("audit", "AUDIT", audit)];
            let lists = lists.into_iter().filter(|(.., rules)| !rules.is_empty());
            lists.map(|(suffix, action, rules)| part(suffix, action, rules)).collect()
        }
    };
    parts.extend(waypoint::part(policy, entry, &binding, frame));
    parts
}

/// True for what only a proxy that reads requests can do.
fn reach(policy: &AuthorizationPolicy) -> Reach {
    let is_special = match &policy.access {
        Access::Rules { audit, .. } => !audit.is_empty(),
        Access::DenyAll => false,
        Access::Custom { .. } => true,
    };
    if is_special || policy.is_shadow || policy.rules().any(rule::reads_requests) {
        Reach::Requests
    } else {
        Reach::Connections
    }
}
