//! `onlyViaWaypoint`: pods stay reachable past their waypoint unless they take calls from it alone.

use serde_json::json;

use crate::{
    opinions::authorization_policy as opinions,
    rendering::{frame::Frame, part::Part},
    resource::Kind,
    surroundings::{Named, ServesService},
    written::{Access, ApplyTo, AuthorizationPolicy, Dataplane, Entry, OnlyViaWaypoint},
};

/// The last part of the name of the object that allows the waypoint alone.
pub(crate) const SUFFIX: &str = "waypoint";

/// The object that allows the waypoint alone, if it is asked for or by default.
pub(super) fn part(
    policy: &AuthorizationPolicy,
    entry: &Entry,
    binding: &ApplyTo,
    frame: &Frame<'_>,
) -> Option<Part> {
    let is_at_waypoint = frame.dataplane() == Dataplane::Ambient && *binding == ApplyTo::Service;
    let account = match &policy.only_via_waypoint {
        Some(_) if !is_at_waypoint => {
            let reason = "is for a policy at the waypoint of the Service in ambient, and this one is not";
            let error = entry.error("APP12", "onlyViaWaypoint", reason);
            frame.report(error.right("take it out, or write `applyTo: service`"));
            return None;
        }
        Some(OnlyViaWaypoint::No) => return None,
        Some(OnlyViaWaypoint::Account(account)) => account.clone(),
        Some(OnlyViaWaypoint::Yes) => account(entry, frame),
        None if is_at_waypoint && allows(policy) => account(entry, frame),
        None => return None,
    };
    let spec = json!({
        "action": "ALLOW",
        "rules": [{"from": [{"source": {"serviceAccounts": [account]}}]}],
    });
    Some(Part::new(Kind::AuthorizationPolicy, spec).beside(SUFFIX).bound(ApplyTo::Workload))
}

/// True if the policy allows some requests, or none at all, and is enforced.
fn allows(policy: &AuthorizationPolicy) -> bool {
    let allows = match &policy.access {
        Access::Rules { allow, .. } => !allow.is_empty(),
        Access::DenyAll => true,
        Access::Custom { .. } => false,
    };
    allows && !policy.is_shadow
}

/// The ServiceAccount of the waypoint of the application's Service.
fn account(entry: &Entry, frame: &Frame<'_>) -> String {
    if let ServesService::Named(Named { namespace, name }) = &frame.waypoint().serves {
        return format!("{namespace}/{name}");
    }
    let account = format!("{}/{}", frame.application.namespace, opinions::WAYPOINT);
    if frame.waypoint().serves == ServesService::Unknown {
        let reason = format!(
            "allows the ServiceAccount `{account}` alone, but no label `istio.io/use-waypoint` in the repository names the waypoint: if there is none, or another, the pods take no calls"
        );
        frame.report(entry.warning("APP13", "onlyViaWaypoint", reason).right(
            "add the labelled Service or Namespace to the repository, or write `onlyViaWaypoint: ACCOUNT`",
        ));
    }
    account
}
