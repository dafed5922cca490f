//! Which proxies should run the filter and do not, and why.

use super::{
    Finding,
    inventory::{Name, Observed, Pod},
    next_steps::{no_proxy, why_not, why_silent},
    selection::{is_for, is_run, mode, policies, selecting, state},
    waypoints,
};
use crate::api::{
    filters::FilterState,
    policy_status::{Direction, PolicyStatus},
};

pub(super) fn findings(observed: &Observed) -> Vec<Finding> {
    observed.pods.iter().filter_map(|pod| of_pod(pod, observed)).collect()
}

/// The pods whose proxies should run the filter, of whom no replica has heard.
pub fn silent(observed: &Observed) -> Vec<Name> {
    let should = |pod: &&Pod| {
        let mut plugins = observed.plugins.iter();
        pod.has_proxy
            && state(pod, observed).is_none()
            && observed.has_heard_all()
            && plugins.any(|plugin| is_for(plugin, pod, observed))
    };
    observed.pods.iter().filter(should).map(|pod| pod.name.clone()).collect()
}

fn of_pod(pod: &Pod, observed: &Observed) -> Option<Finding> {
    let subject = format!("Pod {}", pod.name);
    let plugin = observed.plugins.iter().find(|plugin| is_for(plugin, pod, observed));
    let policy = selecting(pod, observed);
    let state = state(pod, observed);
    if pod.has_proxy
        && plugin.is_some()
        && let Some(policy) = policies(pod, observed).find(|policy| !is_run(policy, pod, observed))
    {
        let (what, mode) = mode(policy);
        return Some(Finding::error(
            subject,
            format!("is selected by policy {}, and no WasmPlugin runs on what it {what}", policy.name),
            format!("apply one in namespace {} with `match: [{{mode: {mode}}}]`", pod.name.namespace),
        ));
    }
    if waypoints::is_of_one(pod, observed) && !waypoints::know_control_plane(pod, observed) {
        // Of the waypoint itself that is told.
        return None;
    }
    match (plugin, policy, pod.has_proxy, state) {
        (_, _, true, Some(FilterState::InStep)) => None,
        // It may poll a replica that could not be asked.
        (Some(_), _, true, Some(FilterState::Gone) | None) if !observed.has_heard_all() => None,
        (Some(_), _, true, Some(FilterState::Gone)) => Some(Finding::error(
            subject,
            "its filter has not polled lately: it keeps to what it has",
            why_silent(pod, observed),
        )),
        (Some(_), _, true, Some(_)) => Some(Finding::warning(
            subject,
            "its filter does not run the newest policies yet",
            "ask again; if it stays so, its log says why",
        )),
        (Some(plugin), _, true, None) => Some(Finding::error(
            subject,
            format!("should run the filter of WasmPlugin {} and does not", plugin.metadata),
            why_not(pod, observed),
        )),
        (_, Some(policy), false, _) if is_without_effect(policy, pod, observed) => Some(Finding::error(
            subject,
            format!("is selected by policy {} and has no proxy", policy.name),
            no_proxy(policy, pod, observed),
        )),
        (None, Some(policy), true, _) => Some(Finding::error(
            subject,
            format!("is selected by policy {}, and no WasmPlugin is for it", policy.name),
            format!(
                "apply one in namespace {}, or mend the selector of the one that should be for it",
                pod.name.namespace
            ),
        )),
        _ => None,
    }
}

/// A waypoint sees only what is received.
fn is_without_effect(policy: &PolicyStatus, pod: &Pod, observed: &Observed) -> bool {
    policy.targets.direction == Direction::Outbound || !waypoints::serve(pod, observed)
}
