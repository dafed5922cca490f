//! `authorizationPolicy`: who may call the application.

mod rule;
mod source;

use policies::reading::{Cursor, Fields, Value, word};

pub use self::{
    rule::{AccessRule, Conditions},
    source::Sources,
};
use super::{
    fields::{items, text},
    scope::Scope,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationPolicy {
    pub access: Access,
    /// True if what it would do is only written down.
    pub is_shadow: bool,
    /// Absent: by default.
    pub only_via_waypoint: Option<OnlyViaWaypoint>,
}

/// Whether pods take calls from their waypoint alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnlyViaWaypoint {
    No,
    /// Yes, from the waypoint that labels name.
    Yes,
    /// Yes, from the waypoint of this ServiceAccount, as `NAMESPACE/NAME`.
    Account(String),
}

/// What is decided about. Each list is an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// At least one list has rules.
    Rules { allow: Vec<AccessRule>, deny: Vec<AccessRule>, audit: Vec<AccessRule> },
    /// Nobody may call at all.
    DenyAll,
    /// A program outside decides about the requests that a rule matches.
    Custom { provider: String, check: Vec<AccessRule> },
}

impl AuthorizationPolicy {
    /// Every rule.
    pub fn rules(&self) -> impl Iterator<Item = &AccessRule> {
        let lists = match &self.access {
            Access::Rules { allow, deny, audit } => [allow.as_slice(), deny, audit],
            Access::DenyAll => [&[] as &[_]; 3],
            Access::Custom { check, .. } => [check.as_slice(), &[], &[]],
        };
        lists.into_iter().flatten()
    }
}

pub(super) fn read(fields: &mut Fields<'_>, scope: &Scope<'_>) -> Option<AuthorizationPolicy> {
    let allow = rules(fields, "allow", scope);
    let deny = rules(fields, "deny", scope);
    let audit = rules(fields, "audit", scope);
    let check = rules(fields, "check", scope);
    let provider = fields.read("provider", text).optional();
    let deny_all = fields.read("denyAll", Cursor::boolean).or(false);
    let is_shadow = word(fields.take("mode"), &[("enforce", false), ("shadow", true)]);
    let only_via_waypoint =
        fields.read("onlyViaWaypoint", |field| only_via_waypoint(field, scope)).optional();
    let (allow, deny, audit, check) = (allow?, deny?, audit?, check?);
    let (provider, deny_all, is_shadow) = (provider?, deny_all?, is_shadow?);
    let cursor = fields.cursor();
    let has_rules = !allow.is_empty() || !deny.is_empty() || !audit.is_empty();
    if is_shadow && (!audit.is_empty() || provider.is_some()) {
        cursor.report("has `mode: shadow`, which is for `allow` and `deny`; take it out");
    }
    let access = match (deny_all, provider) {
        (true, None) if !has_rules && check.is_empty() => Access::DenyAll,
        (true, _) => {
            cursor.report("has `denyAll`, which stands alone: nobody may call; take the rules out");
            return None;
        }
        (false, Some(provider)) if !has_rules && !check.is_empty() => Access::Custom { provider, check },
        (false, Some(_)) => {
            cursor.report("has `provider`, which decides about the rules of `check` alone; write `check`, and other rules as another entry");
            return None;
        }
        (false, None) if !check.is_empty() => {
            cursor.report("has `check` and no `provider`; name the one of MeshConfig that decides");
            return None;
        }
        (false, None) if !has_rules => {
            cursor.report(
                "has no rules; write `allow`, `deny` or `audit`, or `denyAll: true` if nobody may call",
            );
            return None;
        }
        (false, None) => Access::Rules { allow, deny, audit },
    };
    Some(AuthorizationPolicy { access, is_shadow, only_via_waypoint: only_via_waypoint? })
}

fn rules(fields: &mut Fields<'_>, name: &'static str, scope: &Scope<'_>) -> Option<Vec<AccessRule>> {
    fields.read(name, |field| items(field, |item| rule::read(&item, scope))).or(Vec::new())
}

fn only_via_waypoint(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<OnlyViaWaypoint> {
    match field.value() {
        Value::Bool(true) => Some(OnlyViaWaypoint::Yes),
        Value::Bool(false) => Some(OnlyViaWaypoint::No),
        Value::String(text) => source::service_account(field, text, scope).map(OnlyViaWaypoint::Account),
        _ => {
            field.report(
                "must be `true`, `false`, or the ServiceAccount of the waypoint: `NAME` or `NAMESPACE/NAME`",
            );
            None
        }
    }
}
