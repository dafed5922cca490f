//! Pods of workloads, as they are now.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use world::World;

/// The Pods with a label `app` of this value that are to stay; all of the namespace without one.
pub(crate) async fn pods(world: &World, namespace: &str, app: Option<&str>) -> Result<Vec<Pod>> {
    let selector = app.map(|app| format!("app={app}")).unwrap_or_default();
    let api: Api<Pod> = Api::namespaced(world.client(), namespace);
    let mut found = api.list(&ListParams::default().labels(&selector)).await?.items;
    found.retain(|pod| pod.metadata.deletion_timestamp.is_none());
    Ok(found)
}

/// The name of a Pod.
pub(crate) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// A port of a Pod, past any Service.
pub(crate) fn address(pod: &Pod, port: u16) -> Result<SocketAddr> {
    let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref());
    let address = address.with_context(|| format!("{} has no address", name(pod)))?;
    Ok(SocketAddr::new(address.parse()?, port))
}

/// True if the Pod has the condition `Ready`.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.status == "True")
}
