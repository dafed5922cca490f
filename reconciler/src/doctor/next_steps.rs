//! Next steps for a proxy that does not run the filter.

use super::{
    inventory::{Extension, Inventory, Name, OptsOut, Plugin, Pod, Sidecar},
    obstacle::Obstacle,
};
use crate::api::policy_status::{Direction, PolicyStatus};

pub(super) fn why_silent(pod: &Pod, plugin: &Plugin, inventory: &Inventory) -> String {
    if let Some(hidden) = is_hidden_by(pod, inventory) {
        return hidden;
    }
    let Name { namespace, name } = &pod.name;
    let control_plane = &inventory.control_plane;
    let network = format!(
        "`istioctl proxy-config cluster {name}.{namespace}` must list {}.{}, and a NetworkPolicy must let it through",
        control_plane.name, control_plane.namespace
    );
    let (log, again) = (says(pod), send_again(plugin));
    let has = |extension: &Extension| extension.plugin == plugin.metadata;
    match &pod.extensions {
        Some(extensions) if extensions.iter().any(has) => {
            return format!("its proxy runs the module, which cannot poll: {network}; {log}");
        }
        Some(_) => return is_not_given(pod),
        None => {}
    }
    match pod.modules {
        Some(0) => format!("its proxy runs no Wasm module: {again}; {log}"),
        Some(_) => format!("its proxy runs a Wasm module, which cannot poll: {network}; {log}"),
        None => format!("{again}; if that does not help, {network}; {log}"),
    }
}

/// What to do about a plugin that does not run in a proxy, while another one does.
pub(super) fn why_unnamed(pod: &Pod, plugin: &Plugin) -> String {
    let has = |extension: &Extension| extension.plugin == plugin.metadata;
    match &pod.extensions {
        Some(extensions) if !extensions.iter().any(has) => is_not_given(pod),
        _ => format!("{}; {}", send_again(plugin), says(pod)),
    }
}

fn is_not_given(pod: &Pod) -> String {
    let (Name { namespace, name }, log) = (&pod.name, says(pod));
    format!(
        "Istio has not given it the plugin: `istioctl proxy-status {name}.{namespace}` says whether istiod reaches it; {log}"
    )
}

/// What the log of a proxy says, or where it is.
pub(super) fn says(pod: &Pod) -> String {
    let Name { namespace, name } = &pod.name;
    match &pod.complaint {
        Some(complaint) => format!("its proxy says: {complaint}"),
        None => format!("`kubectl --namespace {namespace} logs {name} --container istio-proxy` says more"),
    }
}

/// The way to make Istio's agent fetch a module again: it fetches a module once, and if that fails the proxy runs
/// a filter that allows everything until Istio sends the plugin again.
pub(super) fn send_again(plugin: &Plugin) -> String {
    let Name { namespace, name } = &plugin.metadata;
    format!(
        "`kubectl --namespace {namespace} annotate wasmplugin {name} --overwrite hfi.dev/sent-again=$(date -u +%FT%TZ)` \
         makes Istio send the plugin again, after which the proxy fetches the module again"
    )
}

/// The Sidecar that hides the control plane from a proxy, and what to do about it.
pub(super) fn is_hidden_by(pod: &Pod, inventory: &Inventory) -> Option<String> {
    let sidecar = inventory.sidecars.iter().find(|sidecar| hides(sidecar, pod, inventory))?;
    Some(format!(
        "Sidecar {} hides the control plane from it: add `{}/*` to its egress hosts",
        sidecar.metadata, inventory.control_plane.namespace
    ))
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
        Some(OptsOut::Proxyless) => {
            return "its gRPC library takes part in the mesh without an Envoy: leave it out of the policy"
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

/// The way to have a plugin run in a proxy. The control plane is in `namespace`.
pub(super) fn overcome(obstacle: &Obstacle<'_>, plugin: &Name, namespace: &str) -> String {
    match obstacle {
        Obstacle::Revision { proxy, .. } => format!(
            "remove the label `istio.io/rev` of WasmPlugin {plugin}, or apply one for revision {proxy}"
        ),
        Obstacle::Side | Obstacle::Ports => format!("correct `match` of WasmPlugin {plugin}"),
        Obstacle::NoHttpListener => {
            "add a listener of protocol HTTP or HTTPS to its Gateway, or leave it out of the policy".into()
        }
        Obstacle::NothingToSendTo(sidecar) => {
            format!("add what it calls, and `{namespace}/*`, to the egress hosts of Sidecar {sidecar}")
        }
    }
}
