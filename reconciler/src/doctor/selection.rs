//! Which pods a plugin, a policy and a gateway are for.

use policies::language::Glob;

use super::{
    inventory::{Inventory, Labels, Name, Plugin, Pod, ProxyKind},
    kind::{gateway, kind, runs_in},
    obstacle::obstacle,
};
use crate::api::policy_status::{Direction, PolicyState, PolicyStatus};

/// The labels by which a namespace, a Service or a pod has a waypoint.
pub(super) const WAYPOINT: &str = "istio.io/use-waypoint";
pub(super) const WAYPOINT_NAMESPACE: &str = "istio.io/use-waypoint-namespace";

/// Tells whether a plugin runs in the proxy of a pod, if all is well.
pub(crate) fn is_for(plugin: &Plugin, pod: &Pod, inventory: &Inventory) -> bool {
    is_given(plugin, pod, inventory) && obstacle(plugin, pod, inventory).is_none()
}

/// Tells whether Istio gives a plugin to the proxy of a pod: that of the plugin's namespace, or any if it is the
/// root namespace. A waypoint takes only plugins that name it. A gateway is a client: it also takes those that run
/// on what proxies send.
pub(super) fn is_given(plugin: &Plugin, pod: &Pod, inventory: &Inventory) -> bool {
    let Plugin { metadata, spec, .. } = plugin;
    if !spec.target_refs.is_empty() {
        return gateway(pod).is_some_and(|gateway| {
            let gateway = Name { namespace: pod.name.namespace.clone(), name: gateway.clone() };
            names(plugin, &gateway, kind(pod, inventory), inventory)
        });
    }
    let is_near =
        metadata.namespace == pod.name.namespace || metadata.namespace == inventory.istio.root_namespace;
    let selected = |wanted: &Labels| wanted.iter().all(|(name, value)| pod.labels.get(name) == Some(value));
    let is_seen = match kind(pod, inventory) {
        ProxyKind::Sidecar => true,
        ProxyKind::Gateway => runs_in(spec, "CLIENT"),
        ProxyKind::Waypoint => false,
    };
    is_seen && is_near && spec.selector.as_ref().is_none_or(|selector| selected(&selector.match_labels))
}

/// True if a target of a plugin is this gateway or waypoint.
pub(super) fn names(plugin: &Plugin, gateway: &Name, kind: ProxyKind, inventory: &Inventory) -> bool {
    let namespace = &plugin.metadata.namespace;
    let is_waypoint = kind == ProxyKind::Waypoint;
    plugin.spec.target_refs.iter().any(|target| match target.kind.as_str() {
        "Gateway" => *namespace == gateway.namespace && target.name == gateway.name,
        "GatewayClass" => {
            is_waypoint && *namespace == inventory.istio.root_namespace && target.name == "istio-waypoint"
        }
        "Service" => is_waypoint && waypoint_of(&target.name, namespace, inventory).as_ref() == Some(gateway),
        _ => false,
    })
}

/// The waypoint of a Service, by its own labels, or else by those of its namespace.
fn waypoint_of(service: &str, namespace: &str, inventory: &Inventory) -> Option<Name> {
    let mut services = inventory.services.iter();
    let service = services.find(|known| known.name.namespace == namespace && known.name.name == service)?;
    let own = Some(&service.labels).filter(|labels| labels.contains_key(WAYPOINT));
    let labels = own.or_else(|| inventory.namespaces.get(namespace))?;
    let of = labels.get(WAYPOINT_NAMESPACE).map_or(namespace, String::as_str);
    Some(Name { namespace: of.to_owned(), name: labels.get(WAYPOINT)?.clone() })
}

/// A policy in force for what this pod receives, that says more than "everything".
pub(super) fn policies<'a>(pod: &'a Pod, inventory: &'a Inventory) -> impl Iterator<Item = &'a PolicyStatus> {
    let matches =
        |pattern: &str, name: &str| Glob::try_from(pattern.to_owned()).is_ok_and(|glob| glob.matches(name));
    inventory.answers().flat_map(|answer| &answer.status.policies).filter(move |policy| {
        let selector = &policy.targets.selector;
        // A host is no pod's.
        let Some(wanted) = &selector.service else { return false };
        let is_narrow = wanted != "*" || selector.namespace != "*";
        is_narrow
            // Who wrote that did not mean those that have no proxy on purpose.
            && (wanted != "*" || pod.opts_out.is_none())
            && policy.state == PolicyState::Active
            && matches(&selector.namespace, &pod.name.namespace)
            && services(pod).any(|service| matches(wanted, service))
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
