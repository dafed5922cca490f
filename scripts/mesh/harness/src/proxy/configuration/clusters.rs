//! The clusters of a proxy: its workload, and the control plane as Istio makes a cluster of its Service.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{socket, type_url};
use crate::proxy::sidecar::Sidecar;

/// The cluster of the workload itself.
pub(crate) const WORKLOAD_CLUSTER: &str = "inbound|8080||";
/// The name that Istio gives the cluster of the control plane.
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

/// Every two seconds, as often as the probes of a deployment. The name of the cluster, which Envoy would send as
/// the host, is none: the reconciler answers it with 400, and each replica counts as not ready.
fn readiness() -> Value {
    json!({
        "interval": "2s",
        "no_traffic_interval": "2s",
        "timeout": "2s",
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
        "http_health_check": {"host": "hfi-control-plane.boifi", "path": "/v1/ready"},
    })
}

/// The cluster of the workload.
pub(crate) fn workload(sidecar: &Sidecar) -> Value {
    let mut cluster = cluster(WORKLOAD_CLUSTER, &[sidecar.workload]);
    if let Some(cluster) = cluster.as_object_mut().filter(|_| sidecar.options.speaks_http2) {
        cluster.insert("typed_extension_protocol_options".to_owned(), http2());
    }
    cluster
}

/// The clusters of its routes.
pub(crate) fn routed(sidecar: &Sidecar) -> Vec<Value> {
    let clusters = sidecar.options.routes.iter().flat_map(|route| &route.clusters);
    let names: BTreeSet<_> = clusters.map(|(name, _)| name.as_str()).collect();
    let is_there = |name: &&str| {
        *name != WORKLOAD_CLUSTER && !sidecar.options.missing_clusters.iter().any(|missing| missing == name)
    };
    let others = names.into_iter().filter(is_there);
    others.map(|name| cluster(name, &[sidecar.workload])).collect()
}

fn cluster(name: &str, addresses: &[SocketAddr]) -> Value {
    let endpoint = |address: &SocketAddr| json!({"endpoint": {"address": socket(*address)}});
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "10s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": addresses.iter().map(endpoint).collect::<Vec<_>>()}],
        },
    })
}

/// The options that make a cluster use HTTP/2, as gRPC needs.
pub(crate) fn http2() -> Value {
    json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": type_url("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
            "explicit_http_config": {"http2_protocol_options": {}},
        },
    })
}
