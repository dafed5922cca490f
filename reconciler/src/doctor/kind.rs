//! The kind of a proxy, and the traffic that a plugin sees there.

use super::inventory::{Inventory, Name, PluginSpec, Pod, ProxyKind, TrafficSelector};

/// The kind of the proxy of a pod.
pub(super) fn kind(pod: &Pod, inventory: &Inventory) -> ProxyKind {
    let is_of =
        |waypoint: &Name| waypoint.namespace == pod.name.namespace && gateway(pod) == Some(&waypoint.name);
    match gateway(pod) {
        Some(_) if inventory.waypoints.iter().any(is_of) => ProxyKind::Waypoint,
        Some(_) if pod.kind == ProxyKind::Sidecar => ProxyKind::Gateway,
        _ => pod.kind,
    }
}

/// The gateway or waypoint that a pod is of.
pub(super) fn gateway(pod: &Pod) -> Option<&String> {
    pod.labels.get("gateway.networking.k8s.io/gateway-name")
}

/// True if it runs on what proxies receive (`SERVER`) or send (`CLIENT`).
pub(super) fn runs_in(spec: &PluginSpec, mode: &str) -> bool {
    spec.r#match.is_empty() || spec.r#match.iter().any(|selector| has_mode(selector, mode))
}

/// True if a part of `match` is about what proxies receive (`SERVER`) or send (`CLIENT`).
pub(super) fn has_mode(selector: &TrafficSelector, mode: &str) -> bool {
    let is_any = |mode: &str| !matches!(mode, "SERVER" | "CLIENT");
    selector.mode.as_deref().is_none_or(|selected| selected == mode || is_any(selected))
}
