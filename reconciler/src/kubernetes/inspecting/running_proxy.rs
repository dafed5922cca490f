//! The container of a proxy, as the status of its pod tells of it.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use policies::Timestamp;

/// The container of every proxy.
pub(super) const PROXY: &str = "istio-proxy";

/// The container of a proxy that runs.
pub(crate) struct RunningProxy {
    pub(crate) started: Timestamp,
    pub(crate) is_ready: bool,
}

/// The proxy of a pod, if it runs.
pub(crate) fn running_proxy(pod: &Pod) -> Option<RunningProxy> {
    let status = pod.status.as_ref()?;
    let containers = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    let running = |container: &ContainerStatus| {
        let started = container.state.as_ref()?.running.as_ref()?.started_at.clone()?;
        let started = Timestamp::from_millis(u64::try_from(started.0.as_millisecond()).unwrap_or(0));
        Some(RunningProxy { started, is_ready: container.ready })
    };
    containers.filter(|container| container.name == PROXY).find_map(running)
}

/// The addresses of a pod.
pub(super) fn addresses(pod: &Pod) -> Vec<String> {
    let addresses = pod.status.iter().flat_map(|status| status.pod_ips.iter().flatten());
    addresses.map(|address| address.ip.clone()).collect()
}
