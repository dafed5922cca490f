//! Which pods a plugin, a policy and a gateway are for.

use std::collections::BTreeSet;

use policies::language::Glob;

use super::inventory::{Inventory, Labels, Plugin, PluginSpec, Pod, TrafficSelector};
use crate::api::{
    filters::FilterState,
    policy_status::{Direction, PolicyState, PolicyStatus},
};

/// Istio takes a plugin for the sidecars of its namespace, and one of its root namespace for all; a gateway
/// or waypoint takes only those that name it.
pub(super) fn is_for(plugin: &Plugin, pod: &Pod, inventory: &Inventory) -> bool {
    let Plugin { metadata, spec } = plugin;
    if let Some(gateway) = gateway(pod) {
        return metadata.namespace == pod.name.namespace && names(plugin, gateway);
    }
    let is_near =
        metadata.namespace == pod.name.namespace || metadata.namespace == inventory.istio.root_namespace;
    let selected = |wanted: &Labels| wanted.iter().all(|(name, value)| pod.labels.get(name) == Some(value));
    spec.target_refs.is_empty()
        && is_near
        && spec.selector.as_ref().is_none_or(|selector| selected(&selector.match_labels))
}

/// A policy in force for what this pod receives, that says more than "everything".
pub(super) fn policies<'a>(pod: &'a Pod, inventory: &'a Inventory) -> impl Iterator<Item = &'a PolicyStatus> {
    let matches =
        |pattern: &str, name: &str| Glob::try_from(pattern.to_owned()).is_ok_and(|glob| glob.matches(name));
    inventory.answers().flat_map(|answer| &answer.status.policies).filter(move |policy| {
        let selector = &policy.targets.selector;
        let is_narrow = selector.service != "*" || selector.namespace != "*";
        is_narrow
            // Who wrote that did not mean those that have no proxy on purpose.
            && (selector.service != "*" || pod.opts_out.is_none())
            && policy.state == PolicyState::Active
            && matches(&selector.namespace, &pod.name.namespace)
            && services(pod).any(|service| matches(&selector.service, service))
    })
}

pub(super) fn selecting<'a>(pod: &'a Pod, inventory: &'a Inventory) -> Option<&'a PolicyStatus> {
    policies(pod, inventory).next()
}

/// The traffic that a policy is about, and the mode of the plugin that runs it.
pub(super) fn mode(policy: &PolicyStatus) -> (&'static str, &'static str) {
    match policy.targets.direction {
        Direction::Outbound => ("sends", "CLIENT"),
        _ => ("receives", "SERVER"),
    }
}

/// True if some plugin of this proxy sees the requests that a policy is about.
pub(super) fn is_run(policy: &PolicyStatus, pod: &Pod, inventory: &Inventory) -> bool {
    let (_, mode) = mode(policy);
    let mut plugins = inventory.plugins.iter().filter(|plugin| is_for(plugin, pod, inventory));
    // Gateways receive and send at once.
    gateway(pod).is_some() || plugins.any(|plugin| runs_in(&plugin.spec, mode))
}

/// The names by which a selector's `service` can mean this pod.
fn services(pod: &Pod) -> impl Iterator<Item = &str> {
    // As Istio finds the canonical name of a workload.
    let labels = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
    let canonical = labels.iter().find_map(|label| pod.labels.get(*label));
    canonical.map(String::as_str).into_iter().chain([pod.workload.as_str()])
}

/// The state of its filter, by the replica that has heard of it last.
pub(super) fn state(pod: &Pod, inventory: &Inventory) -> Option<FilterState> {
    // `sidecar~ADDRESS~POD.NAMESPACE~DOMAIN`
    let name = format!("{}.{}", pod.name.name, pod.name.namespace);
    let of_pod = inventory.answers().flat_map(|answer| &answer.filters);
    let states: BTreeSet<_> = of_pod
        .filter(|filter| filter.node.split('~').nth(2) == Some(&name))
        .map(|filter| filter.state)
        .collect();
    // A proxy has several filters, and moves between replicas: one that polls is enough.
    FilterState::ALL.into_iter().find(|state| states.contains(state))
}

/// The gateway or waypoint that a pod is of.
pub(super) fn gateway(pod: &Pod) -> Option<&String> {
    pod.labels.get("gateway.networking.k8s.io/gateway-name")
}

pub(super) fn names(plugin: &Plugin, gateway: &str) -> bool {
    plugin.spec.target_refs.iter().any(|target| target.kind == "Gateway" && target.name == gateway)
}

/// True if it runs on what proxies receive (`SERVER`) or send (`CLIENT`).
pub(super) fn runs_in(spec: &PluginSpec, mode: &str) -> bool {
    let is_any = |mode: &str| !matches!(mode, "SERVER" | "CLIENT");
    let matches = |selector: &TrafficSelector| {
        selector.mode.as_deref().is_none_or(|selected| selected == mode || is_any(selected))
    };
    spec.r#match.is_empty() || spec.r#match.iter().any(matches)
}
