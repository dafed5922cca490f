//! Converts objects of the cluster to the values that the doctor judges.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Container, Pod},
};
use kube::ResourceExt as _;

use super::running_proxy::{PROXY, addresses, running_proxy};
use crate::doctor::inventory::{self, Name, OptsOut, ProxyKind, REVISION};

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
    let is_agent = |container: &&Container| container.name == PROXY && !has_argument(container, "ztunnel");
    let is_proxyless = containers(&pod).filter(is_agent).any(has_no_envoy);
    let has_proxy = containers(&pod).any(|container| is_agent(&container)) && !is_proxyless;
    let opts_out = match spec.and_then(|spec| spec.host_network) {
        Some(true) => Some(OptsOut::HostNetwork),
        _ if is_proxyless => Some(OptsOut::Proxyless),
        // The label takes precedence.
        _ => [pod.labels(), pod.annotations()]
            .into_iter()
            .find_map(|names| names.get(INJECT))
            .filter(|value| *value == "false")
            .map(|_| OptsOut::Inject),
    };
    let labels = pod.labels().clone();
    let kind = kind(&pod);
    let revision = pod.annotations().get(REVISION).cloned();
    let ports = containers(&pod).flat_map(|container| container.ports.iter().flatten());
    let ports = ports.filter_map(|port| Some((port.name.clone()?, u16::try_from(port.container_port).ok()?)));
    let ports = ports.collect();
    let (addresses, started) = (addresses(&pod), running_proxy(&pod).map(|proxy| proxy.started));
    inventory::Pod {
        name,
        labels,
        workload,
        has_proxy,
        kind,
        opts_out,
        revision,
        ports,
        addresses,
        started,
        ..inventory::Pod::default()
    }
}

/// True if nobody hears of the pod any more: its node is lost. The node controller then says that the pod is not ready,
/// and nobody says so of its containers. What the kubelet says of a pod with ready containers has a reason.
pub(crate) fn is_lost(pod: &Pod) -> bool {
    let conditions = || pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let containers =
        conditions().any(|condition| condition.type_ == "ContainersReady" && condition.status == "True");
    let is_of_node = |reason: &Option<String>| reason.as_ref().is_none_or(String::is_empty);
    let whole = conditions().any(|condition| {
        condition.type_ == "Ready" && condition.status == "False" && is_of_node(&condition.reason)
    });
    containers && whole
}

/// True if the agent runs without an Envoy, as beside a gRPC library that takes part in the mesh by itself.
fn has_no_envoy(container: &Container) -> bool {
    let is_true = |value: &String| ["1", "t", "T", "true", "True", "TRUE"].contains(&value.as_str());
    let mut variables = container.env.iter().flatten();
    variables.any(|variable| variable.name == "DISABLE_ENVOY" && variable.value.as_ref().is_some_and(is_true))
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

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    use super::{is_lost, observe};
    use crate::doctor::inventory::OptsOut;

    fn pod(pod: Value) -> Pod {
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn a_pod_of_a_lost_node_is_told_from_one_that_is_not_ready() {
        for (ready, reason, containers, expected) in [
            ("False", None, "True", true),
            ("True", None, "True", false),
            ("False", Some("ReadinessGatesNotReady"), "True", false),
            ("False", Some("ContainersNotReady"), "False", false),
            ("False", None, "False", false),
        ] {
            let conditions = json!([
                {"type": "Ready", "status": ready, "reason": reason},
                {"type": "ContainersReady", "status": containers},
            ]);
            let lost = is_lost(&pod(json!({"metadata": {}, "status": {"conditions": conditions}})));
            assert_eq!(lost, expected, "{conditions}");
        }
        assert!(!is_lost(&pod(json!({"metadata": {}}))));
    }

    #[test]
    fn an_agent_without_an_envoy_is_no_proxy() {
        for (value, has_proxy) in [("true", false), ("1", false), ("false", true), ("", true)] {
            let env = json!([{"name": "DISABLE_ENVOY", "value": value}]);
            let containers = json!([{"name": "istio-proxy", "args": ["proxy", "sidecar"], "env": env}]);
            let seen = observe(pod(json!({"metadata": {"name": "a"}, "spec": {"containers": containers}})));
            assert_eq!(seen.has_proxy, has_proxy, "{value}");
            assert_eq!(seen.opts_out, (!has_proxy).then_some(OptsOut::Proxyless), "{value}");
        }
    }

    #[test]
    fn a_pod_tells_its_revision_and_its_named_ports() {
        let ports = json!([{"name": "web", "containerPort": 8080}, {"containerPort": 9090}]);
        let seen = observe(pod(json!({
            "metadata": {"name": "a", "annotations": {"istio.io/rev": "canary"}},
            "spec": {"containers": [{"name": "app", "ports": ports}]},
        })));
        assert_eq!(
            (seen.revision.as_deref(), &seen.ports[..]),
            (Some("canary"), &[("web".to_owned(), 8080)][..])
        );
    }
}
