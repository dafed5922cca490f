//! Proxies that should run the filter and do not, with the reason.

use super::{
    Finding,
    heard::{Unnamed, silent_since, state, unnamed},
    inventory::{Inventory, Name, Plugin, Pod, Runs},
    kind::{gateway, runs_in},
    next_steps::{is_hidden_by, no_proxy, overcome, says, send_again, why_silent, why_unnamed},
    obstacle::obstacle,
    selection::{is_for, is_given, is_run, mode, policies, selecting},
    waypoints,
};
use crate::api::{
    filters::FilterState,
    policy_status::{Direction, PolicyStatus},
    time::Time,
};

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    inventory.pods.iter().filter_map(|pod| of_pod(pod, inventory)).collect()
}

/// A pod whose proxy should run the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    pub pod: Name,
    /// No replica hears it, or its polls do not name a plugin that is for it.
    pub is_suspect: bool,
}

/// The pods whose proxies should run the filter, the suspects first.
pub fn covered(inventory: &Inventory) -> Vec<Covered> {
    let is_covered =
        |pod: &&Pod| pod.has_proxy && inventory.plugins.iter().any(|plugin| is_for(plugin, pod, inventory));
    let judged = |pod: &Pod| {
        let is_silent = matches!(state(pod, inventory), None | Some(FilterState::Gone));
        let is_suspect = is_silent && inventory.has_heard_all() || unnamed(pod, inventory).is_some();
        Covered { pod: pod.name.clone(), is_suspect }
    };
    let mut covered: Vec<_> = inventory.pods.iter().filter(is_covered).map(judged).collect();
    covered.sort_by_key(|covered| !covered.is_suspect);
    covered
}

fn of_pod(pod: &Pod, inventory: &Inventory) -> Option<Finding> {
    let subject = format!("Pod {}", pod.name);
    let plugin = inventory.plugins.iter().find(|plugin| is_for(plugin, pod, inventory));
    let policy = selecting(pod, inventory);
    let state = state(pod, inventory);
    if pod.has_proxy
        && plugin.is_some()
        && let Some(policy) = policies(pod, inventory).find(|policy| !is_run(policy, pod, inventory))
    {
        if let Some(never) = never_runs(policy, pod, inventory) {
            return Some(never);
        }
        let (what, mode) = mode(policy);
        return Some(Finding::error(
            subject,
            format!("is selected by policy {}, and no WasmPlugin runs on what it {what}", policy.name),
            format!("apply one in namespace {} with `match: [{{mode: {mode}}}]`", pod.name.namespace),
        ));
    }
    if waypoints::is_of_one(pod, inventory) && !waypoints::know_control_plane(pod, inventory) {
        // The finding about the waypoint says so.
        return None;
    }
    if let Some(lost) = lost(pod, inventory).or_else(|| lost_one(pod, inventory)) {
        return Some(lost);
    }
    match (plugin, policy, pod.has_proxy, state) {
        (_, _, true, Some(FilterState::InStep)) => None,
        // It may poll a replica that could not be asked.
        (Some(_), _, true, Some(FilterState::Gone) | None) if !inventory.has_heard_all() => None,
        (Some(plugin), _, true, Some(FilterState::Gone)) => Some(Finding::error(
            subject,
            format!(
                "its filter has not polled{}: it keeps the policies that it has, or the proxy has lost it",
                since(pod, inventory)
            ),
            why_silent(pod, plugin, inventory),
        )),
        (Some(_), _, true, Some(_)) => Some(match is_hidden_by(pod, inventory) {
            Some(hidden) => Finding::error(
                subject,
                "its filter does not run the newest policies, and cannot ask for them",
                hidden,
            ),
            None => Finding::warning(
                subject,
                "its filter does not run the newest policies yet",
                "run the doctor again; if it reports this again, the log of the proxy says why",
            ),
        }),
        (Some(plugin), _, true, None) => Some(Finding::error(
            subject,
            format!(
                "should run the filter of WasmPlugin {} and does not{}",
                plugin.metadata,
                since(pod, inventory)
            ),
            why_silent(pod, plugin, inventory),
        )),
        (_, Some(policy), false, _) if is_without_effect(policy, pod, inventory) => Some(Finding::error(
            subject,
            format!("is selected by policy {} and has no proxy", policy.name),
            no_proxy(policy, pod, inventory),
        )),
        (None, Some(policy), true, _) => Some(never_runs(policy, pod, inventory).unwrap_or_else(|| {
            Finding::error(
                subject,
                format!("is selected by policy {}, and no WasmPlugin is for it", policy.name),
                format!(
                    "apply one in namespace {}, or correct the selector of the one that should be for it",
                    pod.name.namespace
                ),
            )
        })),
        _ => None,
    }
}

/// The plugin that should run a policy, and that never runs in the proxy.
fn never_runs(policy: &PolicyStatus, pod: &Pod, inventory: &Inventory) -> Option<Finding> {
    let (_, mode) = mode(policy);
    // Gateways receive and send at once.
    let runs_it = |plugin: &&Plugin| gateway(pod).is_some() || runs_in(&plugin.spec, mode);
    let given = inventory.plugins.iter().filter(runs_it).filter(|plugin| is_given(plugin, pod, inventory));
    let (plugin, obstacle) =
        given.filter_map(|plugin| Some((plugin, obstacle(plugin, pod, inventory)?))).next()?;
    Some(Finding::error(
        format!("Pod {}", pod.name),
        format!(
            "is selected by policy {}, and WasmPlugin {} never runs in it: {obstacle}",
            policy.name, plugin.metadata
        ),
        overcome(&obstacle, &plugin.metadata, &inventory.control_plane.namespace),
    ))
}

/// A proxy without the module of a plugin, by its own account. It may poll by that of another.
fn lost(pod: &Pod, inventory: &Inventory) -> Option<Finding> {
    let extensions = || pod.extensions.iter().flatten().filter(|extension| extension.runs == Runs::Nothing);
    let mut plugins = inventory.plugins.iter();
    let (plugin, extension) = plugins.find_map(|plugin| {
        let extension = extensions().find(|extension| extension.plugin == plugin.metadata)?;
        Some((plugin, extension))
    })?;
    let since = extension.since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
    let does = if plugin.spec.fail_strategy.as_deref() == Some("FAIL_OPEN") { "allows" } else { "denies" };
    Some(Finding::error(
        format!("Pod {}", pod.name),
        format!(
            "does not run the filter of WasmPlugin {}{since}: Istio's agent could not fetch the module, and put a \
             filter in its place that {does} everything",
            plugin.metadata
        ),
        format!("{}; {}", send_again(plugin), says(pod)),
    ))
}

/// A proxy without the filter of one plugin, by the polls of another one.
fn lost_one(pod: &Pod, inventory: &Inventory) -> Option<Finding> {
    let Unnamed { plugin, since } = unnamed(pod, inventory).filter(|_| pod.has_proxy)?;
    Some(Finding::error(
        format!("Pod {}", pod.name),
        format!(
            "does not run the filter of WasmPlugin {}{}: it polls by another plugin, and the polls do not name this one",
            plugin.metadata,
            since_text(since)
        ),
        why_unnamed(pod, plugin),
    ))
}

fn since(pod: &Pod, inventory: &Inventory) -> String {
    since_text(silent_since(pod, inventory))
}

fn since_text(since: Option<Time>) -> String {
    since.map(|since| format!(" since {}", String::from(since))).unwrap_or_default()
}

/// A waypoint sees only what is received.
fn is_without_effect(policy: &PolicyStatus, pod: &Pod, inventory: &Inventory) -> bool {
    policy.targets.direction == Direction::Outbound || !waypoints::serve(pod, inventory)
}
