//! Next steps for a proxy that does not run the filter.

use super::inventory::{Inventory, Name, OptsOut, Pod, Sidecar};
use crate::api::policy_status::{Direction, PolicyStatus};

pub(super) fn why_not(pod: &Pod, inventory: &Inventory) -> String {
    match &pod.complaint {
        Some(complaint) => format!("its proxy says: {complaint}"),
        None => why_silent(pod, inventory),
    }
}

pub(super) fn why_silent(pod: &Pod, inventory: &Inventory) -> String {
    let Name { namespace, name } = &pod.name;
    let control_plane = &inventory.control_plane;
    match inventory.sidecars.iter().find(|sidecar| hides(sidecar, pod, inventory)) {
        Some(sidecar) => format!(
            "Sidecar {} hides the control plane from it: add `{}/*` to its egress hosts",
            sidecar.metadata, control_plane.namespace
        ),
        None => format!(
            "`istioctl proxy-config cluster {name}.{namespace}` must list {}.{}, and a NetworkPolicy must \
             let it through; `kubectl --namespace {namespace} logs {name} --container istio-proxy` says more",
            control_plane.name, control_plane.namespace
        ),
    }
}

/// True if a `Sidecar` hides the Service of the control plane from the proxy.
fn hides(Sidecar { metadata, spec }: &Sidecar, pod: &Pod, inventory: &Inventory) -> bool {
    let is_near =
        metadata.namespace == pod.name.namespace || metadata.namespace == inventory.istio.root_namespace;
    let is_selected = spec.workload_selector.as_ref().is_none_or(|selector| {
        selector.labels.iter().all(|(name, value)| pod.labels.get(name) == Some(value))
    });
    let shows = |host: &String| match host.split_once('/') {
        Some((namespace, host)) => {
            let is_there = namespace == "*" || namespace == inventory.control_plane.namespace;
            is_there && (host.starts_with('*') || host.starts_with(&inventory.control_plane.name))
        }
        None => false,
    };
    let mut hosts = spec.egress.iter().flat_map(|egress| &egress.hosts).peekable();
    is_near && is_selected && hosts.peek().is_some() && !hosts.any(shows)
}

pub(super) fn no_proxy(policy: &PolicyStatus, pod: &Pod, inventory: &Inventory) -> String {
    let Name { namespace, name } = &pod.name;
    let labels = inventory.namespaces.get(namespace);
    let has = |label: &str| labels.is_some_and(|labels| labels.contains_key(label));
    let is =
        |label: &str, value: &str| labels.and_then(|labels| labels.get(label)).is_some_and(|is| is == value);
    match pod.opts_out {
        Some(OptsOut::HostNetwork) => {
            return "it has `hostNetwork: true`, with which nothing is injected: leave it out of the policy"
                .into();
        }
        Some(OptsOut::Inject) => {
            return "it has `sidecar.istio.io/inject: \"false\"`: remove that, or leave it out of the policy"
                .into();
        }
        None => {}
    }
    if is("istio.io/dataplane-mode", "ambient") && policy.targets.direction == Direction::Outbound {
        "it is in the ambient mesh, whose waypoints see only what is received: select the called service, inbound, \
         or give it a sidecar".into()
    } else if is("istio.io/dataplane-mode", "ambient")
        && let Some(waypoint) = inventory.waypoints.iter().find(|waypoint| waypoint.namespace == *namespace)
    {
        format!(
            "nothing leads to the waypoint: `kubectl label namespace {namespace} istio.io/use-waypoint={}`",
            waypoint.name
        )
    } else if is("istio.io/dataplane-mode", "ambient") {
        format!(
            "it is in the ambient mesh: `istioctl waypoint apply --namespace {namespace} --enroll-namespace`"
        )
    } else if is("istio-injection", "enabled") || has("istio.io/rev") {
        format!(
            "its namespace has sidecars injected and this pod is older, or opts out: \
             `kubectl --namespace {namespace} delete pod {name}` creates it again"
        )
    } else {
        format!("`kubectl label namespace {namespace} istio-injection=enabled`, and restart the pods there")
    }
}
