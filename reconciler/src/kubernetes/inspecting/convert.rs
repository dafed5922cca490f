//! Converts objects of the cluster to the values that the doctor judges.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Container, Pod},
};
use kube::ResourceExt as _;

use crate::doctor::inventory::{self, Name, OptsOut, ProxyKind};

/// The container of every proxy.
pub(crate) const PROXY: &str = "istio-proxy";
/// The label or annotation by which a pod opts out of a sidecar.
const INJECT: &str = "sidecar.istio.io/inject";

pub(crate) fn observe(pod: Pod) -> inventory::Pod {
    let name = Name { namespace: pod.namespace().unwrap_or_default(), name: pod.name_any() };
    let owner = pod.owner_references().first();
    let workload = owner.map_or_else(
        || name.name.clone(),
        |owner| match owner.name.rsplit_once('-') {
            // A Deployment adds a hash to the name of its ReplicaSet.
            Some((deployment, _)) if owner.kind == "ReplicaSet" => deployment.to_owned(),
            _ => owner.name.clone(),
        },
    );
    let spec = pod.spec.as_ref();
    let is_proxy = |container: &Container| container.name == PROXY && !has_argument(container, "ztunnel");
    let has_proxy = containers(&pod).any(is_proxy);
    let opts_out = match spec.and_then(|spec| spec.host_network) {
        Some(true) => Some(OptsOut::HostNetwork),
        // The label takes precedence.
        _ => [pod.labels(), pod.annotations()]
            .into_iter()
            .find_map(|names| names.get(INJECT))
            .filter(|value| *value == "false")
            .map(|_| OptsOut::Inject),
    };
    let labels = pod.labels().clone();
    let kind = kind(&pod);
    inventory::Pod { labels, workload, has_proxy, kind, opts_out, name, ..inventory::Pod::default() }
}

/// The containers of a pod; a sidecar can be among the init containers.
fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.iter();
    spec.flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()))
}

/// The kind of a pod's proxy, by the arguments of its container: `proxy router …`.
fn kind(pod: &Pod) -> ProxyKind {
    let is = |kind: &str| {
        containers(pod).any(|container| container.name == PROXY && has_argument(container, kind))
    };
    if is("router") {
        ProxyKind::Gateway
    } else if is("waypoint") {
        ProxyKind::Waypoint
    } else {
        ProxyKind::Sidecar
    }
}

fn has_argument(container: &Container, argument: &str) -> bool {
    container.args.iter().flatten().any(|known| known == argument)
}

/// The version of an istiod: the tag of its image.
pub(super) fn version(istiod: &Deployment) -> Option<String> {
    let spec = istiod.spec.as_ref()?.template.spec.as_ref()?;
    let image = spec.containers.first()?.image.as_ref()?;
    let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
    Some(tag.to_owned())
}
