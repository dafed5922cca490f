//! Converts objects of the cluster to the values that the doctor judges.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::ResourceExt as _;

use crate::doctor::inventory::{self, Name, OptsOut};

/// The container of every proxy.
pub(super) const PROXY: &str = "istio-proxy";
/// The label or annotation by which a pod opts out of a sidecar.
const INJECT: &str = "sidecar.istio.io/inject";

pub(super) fn observe(pod: Pod) -> inventory::Pod {
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
    let containers =
        spec.into_iter().flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    let has_proxy = containers.into_iter().any(|container| container.name == PROXY);
    let opts_out = match spec.and_then(|spec| spec.host_network) {
        Some(true) => Some(OptsOut::HostNetwork),
        // The label takes precedence.
        _ => [pod.labels(), pod.annotations()]
            .into_iter()
            .find_map(|names| names.get(INJECT))
            .filter(|value| *value == "false")
            .map(|_| OptsOut::Inject),
    };
    inventory::Pod { labels: pod.labels().clone(), workload, has_proxy, opts_out, complaint: None, name }
}

/// The version of an istiod: the tag of its image.
pub(super) fn version(istiod: &Deployment) -> Option<String> {
    let spec = istiod.spec.as_ref()?.template.spec.as_ref()?;
    let image = spec.containers.first()?.image.as_ref()?;
    let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
    Some(tag.to_owned())
}
