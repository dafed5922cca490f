//! Waypoints: the pods that they serve, and their problems.

use super::{
    Finding,
    heard::state,
    inventory::{Inventory, Labels, Name, Plugin, Pod, ProxyKind},
    kind::gateway,
    selection::{WAYPOINT, WAYPOINT_NAMESPACE, names, selecting},
};

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    let waypoints = inventory.waypoints.iter();
    waypoints
        .filter_map(|waypoint| of(waypoint, inventory).or_else(|| foreign(waypoint, inventory)))
        .collect()
}

/// A waypoint for pods of a namespace whose policies none of its plugins asks for.
fn foreign(waypoint: &Name, inventory: &Inventory) -> Option<Finding> {
    let plugins: Vec<_> = targeting(waypoint, inventory).collect();
    let asked = |namespace: &String| {
        plugins.iter().map(|plugin| &plugin.spec.plugin_config.namespaces).any(|namespaces| {
            let is_own = namespaces.is_empty() && *namespace == waypoint.namespace;
            is_own || namespaces.iter().any(|asked| asked == "*" || asked == namespace)
        })
    };
    let served = inventory.pods.iter().filter(|pod| !pod.has_proxy && serves(waypoint, pod, inventory));
    let mut unasked = served.filter(|pod| !asked(&pod.name.namespace));
    let (pod, policy) = unasked.find_map(|pod| Some((pod, selecting(pod, inventory)?)))?;
    let plugin = plugins.first()?;
    let namespace = &pod.name.namespace;
    Some(Finding::error(
        format!("WasmPlugin {}", plugin.metadata),
        format!(
            "does not ask for the policies of namespace {namespace}, which waypoint {waypoint} serves too: policy {} \
             does nothing there",
            policy.name
        ),
        format!("set `namespaces: [{}, {namespace}]` in its pluginConfig", waypoint.namespace),
    ))
}

/// True if a waypoint receives for a pod, as the ambient mesh has it.
pub(super) fn serve(pod: &Pod, inventory: &Inventory) -> bool {
    inventory.waypoints.iter().any(|waypoint| serves(waypoint, pod, inventory))
}

/// True if the pod is of a waypoint, and not of another gateway.
pub(super) fn is_of_one(pod: &Pod, inventory: &Inventory) -> bool {
    inventory.waypoints.iter().any(|waypoint| is_of(pod, waypoint))
}

/// A waypoint has clusters only for what something refers to, unless its plugins name one.
pub(super) fn know_control_plane(pod: &Pod, inventory: &Inventory) -> bool {
    let host = format!("{}.{}.", inventory.control_plane.name, inventory.control_plane.namespace);
    // `NAMESPACE/HOST`, or the host alone.
    let is_ours = |provider: &String| provider.rsplit('/').next().is_some_and(|name| name.starts_with(&host));
    state(pod, inventory).is_some()
        || inventory.istio.providers.iter().any(is_ours)
        || gateway(pod).is_some_and(|name| {
            let waypoint = Name { namespace: pod.name.namespace.clone(), name: name.clone() };
            targeting(&waypoint, inventory).any(|plugin| plugin.spec.plugin_config.cluster.is_some())
        })
}

fn of(waypoint: &Name, inventory: &Inventory) -> Option<Finding> {
    let subject = format!("waypoint {waypoint}");
    if targeting(waypoint, inventory).next().is_none() {
        let mut pods = inventory.pods.iter().filter(|pod| !pod.has_proxy && serves(waypoint, pod, inventory));
        // A waypoint that no policy is for needs no filter.
        let policy = pods.find_map(|pod| selecting(pod, inventory))?;
        return Some(Finding::warning(
            subject,
            format!("runs no filter: policy {} does nothing for the services behind it", policy.name),
            format!("apply a WasmPlugin in namespace {} whose targetRefs name it", waypoint.namespace),
        ));
    }
    let mut pods = inventory.pods.iter().filter(|pod| is_of(pod, waypoint));
    pods.any(|pod| !know_control_plane(pod, inventory)).then(|| {
        let Name { namespace, name } = &inventory.control_plane;
        Finding::error(
            subject,
            "has no cluster for the control plane: its filter cannot poll",
            format!(
                "name {name}.{namespace}.svc.cluster.local in an entry of `extensionProviders` of Istio's mesh \
                 configuration"
            ),
        )
    })
}

fn targeting<'a>(waypoint: &'a Name, inventory: &'a Inventory) -> impl Iterator<Item = &'a Plugin> {
    let is_named = move |plugin: &&Plugin| names(plugin, waypoint, ProxyKind::Waypoint, inventory);
    inventory.plugins.iter().filter(is_named)
}

fn is_of(pod: &Pod, waypoint: &Name) -> bool {
    pod.name.namespace == waypoint.namespace && gateway(pod) == Some(&waypoint.name)
}

/// By the labels of the pod, of a Service that is of it, or of its namespace.
fn serves(waypoint: &Name, pod: &Pod, inventory: &Inventory) -> bool {
    let namespace = &pod.name.namespace;
    let is_of_pod = |selector: &Labels| {
        !selector.is_empty() && selector.iter().all(|(name, value)| pod.labels.get(name) == Some(value))
    };
    let services = inventory.services.iter();
    let services =
        services.filter(|service| service.name.namespace == *namespace && is_of_pod(&service.selector));
    let labels = services.map(|service| &service.labels);
    labels.chain([&pod.labels]).chain(inventory.namespaces.get(namespace)).any(|labels| {
        let of = labels.get(WAYPOINT_NAMESPACE).unwrap_or(namespace);
        labels.get(WAYPOINT) == Some(&waypoint.name) && *of == waypoint.namespace
    })
}
