//! What keeps a waypoint with an upstream Envoy from refusing its configuration.

use serde_json::{Value, json};

use super::manifests::NAMESPACE;

/// The filters that only Istio's own Envoy has. They tell the metrics and the other side who the peers are.
const FILTERS: [&str; 2] = ["waypoint_downstream_peer_metadata", "waypoint_upstream_peer_metadata"];

/// Takes these filters out of all waypoints.
pub(crate) fn without_metadata() -> Value {
    let remove = |filter: &str| {
        json!({
            "applyTo": "HTTP_FILTER",
            "match": {
                "context": "SIDECAR_INBOUND",
                "listener": {"filterChain": {"filter": {
                    "name": "envoy.filters.network.http_connection_manager",
                    "subFilter": {"name": filter},
                }}},
            },
            "patch": {"operation": "REMOVE"},
        })
    };
    json!({
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "waypoints-of-the-world", "namespace": NAMESPACE},
        "spec": {
            "targetRefs": [
                {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"},
            ],
            "configPatches": FILTERS.map(remove),
        },
    })
}
