//! How a proxy reaches the control plane: the cluster that Istio makes of its Service.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::bootstrap::cluster;

/// The name that Istio gives it.
const CONTROL_PLANE: &str = "outbound|8080||hfi-control-plane.boifi.svc.cluster.local";

/// The cluster of a control plane with these replicas, if there are any. Of several, those that are not
/// ready are left out, as Kubernetes leaves them out of a Service; there the kubelet looks, here Envoy.
pub(crate) fn control_plane(replicas: &[SocketAddr]) -> Option<Value> {
    let mut cluster = replicas.first().map(|_| cluster(CONTROL_PLANE, replicas))?;
    if let Some(cluster) = cluster.as_object_mut().filter(|_| replicas.len() > 1) {
        cluster.insert("lb_policy".to_owned(), "LEAST_REQUEST".into());
        cluster.insert("health_checks".to_owned(), json!([readiness()]));
    }
    Some(cluster)
}

/// Every two seconds, as often as the probes of a deployment.
fn readiness() -> Value {
    json!({
        "interval": "2s",
        "no_traffic_interval": "2s",
        "timeout": "2s",
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/v1/ready"},
    })
}
