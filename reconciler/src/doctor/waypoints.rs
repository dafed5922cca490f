//! Waypoints: the pods that they serve, and their problems.

use super::{
    Finding,
    inventory::{Inventory, Labels, Name, Plugin, Pod},
    selection::{gateway, names, selecting, state},
};

pub(super) fn findings(inventory: &Inventory) -> Vec<Finding> {
    inventory.waypoints.iter().filter_map(|waypoint| of(waypoint, inventory)).collect()
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
    let is_near = |plugin: &&Plugin| plugin.metadata.namespace == waypoint.namespace;
    inventory.plugins.iter().filter(is_near).filter(|plugin| names(plugin, &waypoint.name))
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
        let of = labels.get("istio.io/use-waypoint-namespace").unwrap_or(namespace);
        labels.get("istio.io/use-waypoint") == Some(&waypoint.name) && *of == waypoint.namespace
    })
}
