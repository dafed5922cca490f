//! The pods behind a Service, and the choice among them.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
};

use k8s_openapi::{
    api::core::v1::{Pod, Service},
    apimachinery::pkg::util::intstr::IntOrString,
};
use kube::{Api, Client, ResourceExt as _, api::ListParams};

use super::{ForwardError, PATIENCE};
use crate::kubernetes::client::{call::with_timeout, port_forward::PortForward};

/// The pods that a Service selects.
pub(super) struct Replicas {
    /// The Service, as `namespace/name`.
    service: String,
    /// The URL by which the Service is known in the cluster.
    pub(super) url: String,
    pods: Api<Pod>,
    labels: String,
    target: IntOrString,
    /// The pod that failed last: the others are tried before it.
    failed: Mutex<Option<String>>,
}

/// A connection to a replica.
pub(super) struct Reached {
    pub(super) pod: String,
    pub(super) forward: PortForward,
}

impl Replicas {
    /// The pods behind the first port of a Service; none if it selects no pods.
    pub(super) fn of(client: &Client, shown: &str, namespace: &str, service: &Service) -> Option<Self> {
        let spec = service.spec.as_ref()?;
        let labels = spec.selector.as_ref().filter(|labels| !labels.is_empty())?;
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let port = spec.ports.iter().flatten().next()?;
        let protocol = port.app_protocol.as_deref().or(port.name.as_deref()).unwrap_or_default();
        let scheme = if protocol.split('-').next() == Some("https") { "https" } else { "http" };
        Some(Self {
            service: shown.to_owned(),
            url: format!("{scheme}://{}.{namespace}.svc:{}", service.name_any(), port.port),
            pods: Api::namespaced(client.clone(), namespace),
            labels: labels.join(","),
            target: port.target_port.clone().unwrap_or(IntOrString::Int(port.port)),
            failed: Mutex::default(),
        })
    }

    /// Connects to a replica that is ready.
    pub(super) async fn connect(&self) -> Result<Reached, ForwardError> {
        let selected = ListParams::default().labels(&self.labels);
        let pods = with_timeout(PATIENCE, self.pods.list(&selected)).await;
        let pods = pods.map_err(|error| ForwardError::Unreadable {
            what: format!("the pods of the Service {}", self.service),
            error,
        })?;
        let ready = pods.items.iter().filter(|pod| is_ready(pod));
        let mut ready: Vec<_> =
            ready.filter_map(|pod| Some((pod.name_any(), port(pod, &self.target)?))).collect();
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Any order, as each `RandomState` has keys of its own: one replica alone would have all the people, who have
        // one address there.
        let any = RandomState::new();
        ready.sort_by_cached_key(|(pod, _)| (Some(pod) == failed.as_ref(), any.hash_one(pod)));
        let mut why = ForwardError::NoneReady(self.service.clone());
        for (pod, port) in ready {
            match with_timeout(PATIENCE, PortForward::open(&self.pods, &pod, port)).await {
                Ok(forward) => return Ok(Reached { pod, forward }),
                Err(error) => {
                    let is_forbidden = error.is(403);
                    why = ForwardError::Refused { pod, error };
                    if is_forbidden {
                        break;
                    }
                }
            }
        }
        Err(why)
    }

    /// Notes that a connection to this pod failed.
    pub(super) fn avoid(&self, pod: String) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(pod);
    }
}

/// The number of the target port of a Service in a pod.
fn port(pod: &Pod, target: &IntOrString) -> Option<u16> {
    let port = match target {
        IntOrString::Int(port) => *port,
        IntOrString::String(name) => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            ports.find(|port| port.name.as_ref() == Some(name))?.container_port
        }
    };
    port.try_into().ok()
}

/// True for a pod that the Service sends requests to.
fn is_ready(pod: &Pod) -> bool {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::util::intstr::IntOrString};
    use serde_json::{Value, json};

    use super::{is_ready, port};

    fn pod(ready: &str, more: Value) -> Pod {
        let mut pod = json!({
            "metadata": {"name": "hfi-1"},
            "status": {"conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": ready}]},
        });
        pod["metadata"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn a_pod_that_ends_or_is_not_ready_is_not_chosen() {
        assert!(is_ready(&pod("True", json!({}))));
        assert!(!is_ready(&pod("False", json!({}))));
        assert!(!is_ready(&pod("True", json!({"deletionTimestamp": "2026-11-21T00:00:00Z"}))));
        assert!(!is_ready(&Pod::default()));
    }

    #[test]
    fn a_target_port_with_a_name_is_that_of_the_pod() {
        let containers =
            json!([{"name": "proxy"}, {"name": "hfi", "ports": [{"name": "http", "containerPort": 8443}]}]);
        let pod: Pod = serde_json::from_value(json!({"spec": {"containers": containers}})).unwrap();
        for (target, expected) in [
            (IntOrString::String("http".to_owned()), Some(8443)),
            (IntOrString::String("other".to_owned()), None),
            (IntOrString::Int(8080), Some(8080)),
            (IntOrString::Int(-1), None),
        ] {
            assert_eq!(port(&pod, &target), expected, "{target:?}");
        }
    }
}
