//! Which proxies should run the filter and do not, and why.

use std::collections::BTreeSet;

use policies::language::Glob;

use super::{
    Finding,
    inventory::{Labels, Name, Observed, OptsOut, Plugin, Pod, Policy, Sidecar},
    plugins, waypoints,
};

pub(super) fn findings(observed: &Observed) -> Vec<Finding> {
    let mut findings: Vec<_> = observed.pods.iter().filter_map(|pod| of_pod(pod, observed)).collect();
    findings.extend(waypoints::findings(observed));
    findings
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
        (_, _, true, Some("in_step")) => None,
        // It may poll a replica that could not be asked.
        (Some(_), _, true, Some("gone") | None) if !observed.has_heard_all() => None,
        (Some(_), _, true, Some("gone")) => Some(Finding::error(
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

/// Istio takes a plugin for the sidecars of its namespace, and one of its root namespace for all; a gateway
/// or waypoint takes only those that name it.
pub(super) fn is_for(plugin: &Plugin, pod: &Pod, observed: &Observed) -> bool {
    let Plugin { metadata, spec } = plugin;
    if let Some(gateway) = gateway(pod) {
        return metadata.namespace == pod.name.namespace && names(plugin, gateway);
    }
    let is_near =
        metadata.namespace == pod.name.namespace || metadata.namespace == observed.istio.root_namespace;
    let selected = |wanted: &Labels| wanted.iter().all(|(name, value)| pod.labels.get(name) == Some(value));
    spec.target_refs.is_empty()
        && is_near
        && spec.selector.as_ref().is_none_or(|selector| selected(&selector.match_labels))
}

/// A policy in force for what this pod receives, that says more than "everything".
fn policies<'a>(pod: &'a Pod, observed: &'a Observed) -> impl Iterator<Item = &'a Policy> {
    let matches =
        |pattern: &str, name: &str| Glob::try_from(pattern.to_owned()).is_ok_and(|glob| glob.matches(name));
    observed.answers().flat_map(|answer| &answer.status.policies).filter(move |policy| {
        let selector = &policy.targets.selector;
        let is_narrow = selector.service != "*" || selector.namespace != "*";
        is_narrow
            // Who wrote that did not mean those that have no proxy on purpose.
            && (selector.service != "*" || pod.opts_out.is_none())
            && policy.state == "active"
            && matches(&selector.namespace, &pod.name.namespace)
            && services(pod).any(|service| matches(&selector.service, service))
    })
}

pub(super) fn selecting<'a>(pod: &'a Pod, observed: &'a Observed) -> Option<&'a Policy> {
    policies(pod, observed).next()
}

/// What a policy is about, and the mode of the plugin that runs it.
fn mode(policy: &Policy) -> (&'static str, &'static str) {
    match policy.targets.direction.as_str() {
        "outbound" => ("sends", "CLIENT"),
        _ => ("receives", "SERVER"),
    }
}

/// Whether some plugin of this proxy sees the requests that a policy is about.
fn is_run(policy: &Policy, pod: &Pod, observed: &Observed) -> bool {
    let (_, mode) = mode(policy);
    let mut plugins = observed.plugins.iter().filter(|plugin| is_for(plugin, pod, observed));
    // Gateways receive and send at once.
    gateway(pod).is_some() || plugins.any(|plugin| plugins::runs_in(&plugin.spec, mode))
}

/// A waypoint sees only what is received.
fn is_without_effect(policy: &Policy, pod: &Pod, observed: &Observed) -> bool {
    policy.targets.direction == "outbound" || !waypoints::serve(pod, observed)
}

/// The names by which a selector's `service` can mean this pod.
fn services(pod: &Pod) -> impl Iterator<Item = &str> {
    // As Istio finds the canonical name of a workload.
    let labels = ["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"];
    let canonical = labels.iter().find_map(|label| pod.labels.get(*label));
    canonical.map(String::as_str).into_iter().chain([pod.workload.as_str()])
}

/// What its filter is said to be, by whichever replica has heard of it last.
pub(super) fn state<'a>(pod: &Pod, observed: &'a Observed) -> Option<&'a str> {
    // `sidecar~ADDRESS~POD.NAMESPACE~DOMAIN`
    let name = format!("{}.{}", pod.name.name, pod.name.namespace);
    let of_pod = observed.answers().flat_map(|answer| &answer.filters);
    let states: BTreeSet<_> = of_pod
        .filter(|filter| filter.node.split('~').nth(2) == Some(&name))
        .map(|filter| filter.state.as_str())
        .collect();
    // A proxy has several filters, and moves between replicas: one that polls is enough.
    ["in_step", "lagging", "gone"].into_iter().find(|state| states.contains(state))
}

fn why_not(pod: &Pod, observed: &Observed) -> String {
    match &pod.complaint {
        Some(complaint) => format!("its proxy says: {complaint}"),
        None => why_silent(pod, observed),
    }
}

fn why_silent(pod: &Pod, observed: &Observed) -> String {
    let Name { namespace, name } = &pod.name;
    let control_plane = &observed.control_plane;
    match observed.sidecars.iter().find(|sidecar| hides(sidecar, pod, observed)) {
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

/// Whether the proxy is kept from knowing the Service of the control plane.
fn hides(Sidecar { metadata, spec }: &Sidecar, pod: &Pod, observed: &Observed) -> bool {
    let is_near =
        metadata.namespace == pod.name.namespace || metadata.namespace == observed.istio.root_namespace;
    let is_selected = spec.workload_selector.as_ref().is_none_or(|selector| {
        selector.labels.iter().all(|(name, value)| pod.labels.get(name) == Some(value))
    });
    let shows = |host: &String| match host.split_once('/') {
        Some((namespace, host)) => {
            let is_there = namespace == "*" || namespace == observed.control_plane.namespace;
            is_there && (host.starts_with('*') || host.starts_with(&observed.control_plane.name))
        }
        None => false,
    };
    let mut hosts = spec.egress.iter().flat_map(|egress| &egress.hosts).peekable();
    is_near && is_selected && hosts.peek().is_some() && !hosts.any(shows)
}

/// The gateway or waypoint that a pod is of.
pub(super) fn gateway(pod: &Pod) -> Option<&String> {
    pod.labels.get("gateway.networking.k8s.io/gateway-name")
}

pub(super) fn names(plugin: &Plugin, gateway: &str) -> bool {
    plugin.spec.target_refs.iter().any(|target| target.kind == "Gateway" && target.name == gateway)
}

fn no_proxy(policy: &Policy, pod: &Pod, observed: &Observed) -> String {
    let Name { namespace, name } = &pod.name;
    let labels = observed.namespaces.get(namespace);
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
    if is("istio.io/dataplane-mode", "ambient") && policy.targets.direction == "outbound" {
        "it is in the ambient mesh, whose waypoints see only what is received: select what is called, inbound, \
         or give it a sidecar".into()
    } else if is("istio.io/dataplane-mode", "ambient")
        && let Some(waypoint) = observed.waypoints.iter().find(|waypoint| waypoint.namespace == *namespace)
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
             `kubectl --namespace {namespace} delete pod {name}` makes it anew"
        )
    } else {
        format!("`kubectl label namespace {namespace} istio-injection=enabled`, and restart what runs there")
    }
}
