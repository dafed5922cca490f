//! The objects of workloads, gateways and waypoints.

use serde_json::{Value, json};

/// A Deployment of `example/workload` with a ServiceAccount and a Service of the same name.
pub(crate) fn workload(namespace: &str, name: &str) -> Vec<Value> {
    let labels = json!({"app": name});
    let container =
        json!({"name": "workload", "image": "example/workload:1", "ports": [{"containerPort": 8080}]});
    vec![
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace},
        }),
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"serviceAccountName": name, "containers": [container]},
                },
            },
        }),
        service(namespace, name, name),
    ]
}

/// A Service for the Pods of a workload.
pub(crate) fn service(namespace: &str, name: &str, workload: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": workload}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    })
}

/// A Gateway of the name `gateway`, for the routes of every namespace.
pub(crate) fn gateway(namespace: &str) -> Value {
    let listener = json!({"name": "http", "port": 80, "protocol": "HTTP"});
    gateway_api(namespace, "gateway", "istio", &listener)
}

/// A waypoint of the name `waypoint`, for the Services of every namespace that ask for it.
pub(crate) fn waypoint(namespace: &str) -> Value {
    let listener = json!({"name": "mesh", "port": 15008, "protocol": "HBONE"});
    gateway_api(namespace, "waypoint", "istio-waypoint", &listener)
}

fn gateway_api(namespace: &str, name: &str, class: &str, listener: &Value) -> Value {
    let mut listener = listener.clone();
    merge(&mut listener, json!({"allowedRoutes": {"namespaces": {"from": "All"}}}));
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": name,
            "namespace": namespace,
            // Nothing here gives load balancers an address.
            "annotations": {"networking.istio.io/service-type": "ClusterIP"},
        },
        "spec": {"gatewayClassName": class, "listeners": [listener]},
    })
}

/// The control plane as waypoints need it, in the configuration of the mesh: what refers to it gives them its cluster.
pub(crate) fn provider() -> Value {
    let service = "boifi/hfi-control-plane.boifi.svc.cluster.local";
    json!({"name": "hfi-control-plane", "opentelemetry": {"service": service, "port": 8080}})
}

/// Changes an object as a merge patch (RFC 7386) says, but for deletions.
pub(crate) fn merge(object: &mut Value, patch: Value) {
    match (object, patch) {
        (Value::Object(fields), Value::Object(patches)) => {
            for (name, patch) in patches {
                merge(fields.entry(name).or_insert(Value::Null), patch);
            }
        }
        (object, patch) => *object = patch,
    }
}
