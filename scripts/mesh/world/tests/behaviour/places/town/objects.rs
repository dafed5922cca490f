//! The objects of the town, and those that further objects are made of.

use serde_json::{Value, json};
use world::World;

use super::PARTNER;
use crate::support::{gateway, merge, service, waypoint, workload};

pub(super) fn namespaces() -> Vec<Value> {
    let namespace = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    vec![
        namespace("shop", json!({"istio-injection": "enabled"})),
        namespace("edge", json!({})),
        namespace("amb", json!({"istio.io/dataplane-mode": "ambient"})),
        namespace("tenant", json!({})),
    ]
}

/// The workloads, the gateways, and what leads from one to the other.
pub(super) fn inhabitants(world: &World) -> Vec<Value> {
    let mut objects = vec![gateway("edge"), gateway("shop"), waypoint("amb")];
    for name in ["web", "cart", "cart-canary"] {
        objects.extend(workload("shop", name));
    }
    objects.push(service("shop", "cart-too", "cart"));
    objects.extend(workload("amb", "orders"));
    for name in ["orders", "orders-too"] {
        let mut service = service("amb", name, "orders");
        merge(&mut service, json!({"metadata": {"labels": behind_the_waypoint()}}));
        objects.push(service);
    }
    objects.extend([
        entry(world, "shop", "api.partner.example", "240.240.1.1", json!({})),
        entry(world, "amb", "api.bank.example", "240.240.1.2", behind_the_waypoint()),
        entry(world, "tenant", "orders.amb.svc.evil.example", "240.240.1.3", behind_the_waypoint()),
    ]);
    let simple = |namespace, public, backend| route(namespace, public, json!([{"backendRefs": [backend]}]));
    objects.extend([
        simple("shop", "shop.example.com", to_service("cart")),
        simple("shop", "too.example.com", to_service("cart-too")),
        simple("amb", "orders.example.com", to_service("orders")),
        simple("amb", "orders-too.example.com", to_service("orders-too")),
        simple("shop", "partner.example.com", to_host("api.partner.example")),
        simple("amb", "bank.example.com", to_host("api.bank.example")),
        simple("tenant", "evil.example.com", to_host("orders.amb.svc.evil.example")),
    ]);
    objects
}

/// What leads gateways to the waypoint of `amb`, since nothing else here speaks HBONE.
fn behind_the_waypoint() -> Value {
    json!({
        "istio.io/use-waypoint": "waypoint",
        "istio.io/use-waypoint-namespace": "amb",
        "istio.io/ingress-use-waypoint": "true",
    })
}

/// A ServiceEntry that leads to the server on the node. Gateways know it to the waypoint by this address: those that
/// Istio gives to a host by itself they do not take.
fn entry(world: &World, namespace: &str, host: &str, address: &str, labels: Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": host, "namespace": namespace, "labels": labels},
        "spec": {
            "hosts": [host],
            "addresses": [address],
            "location": "MESH_EXTERNAL",
            "resolution": "STATIC",
            "ports": [{"name": "http", "number": 80, "protocol": "HTTP"}],
            "endpoints": [{"address": world.address(), "ports": {"http": PARTNER}}],
        },
    })
}

/// The reference of a route to a Service of its namespace.
pub(in crate::places) fn to_service(name: &str) -> Value {
    json!({"name": name, "port": 80})
}

/// The reference of a route to the host of a ServiceEntry.
fn to_host(host: &str) -> Value {
    json!({"group": "networking.istio.io", "kind": "Hostname", "name": host, "port": 80})
}

/// A VirtualService for a host of `shop` that no Service has. Without a `route` in it, it leads to `cart`.
pub(in crate::places) fn alias(name: &str, http: Value) -> Value {
    let mut whole = json!({"route": [{"destination": {"host": "cart.shop.svc.cluster.local"}}]});
    merge(&mut whole, http);
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"hosts": [format!("{name}.shop.svc.cluster.local")], "http": [whole]},
    })
}

/// An HTTPRoute of both gateways.
pub(in crate::places) fn route(namespace: &str, host: &str, rules: Value) -> Value {
    let parents = ["edge", "shop"].map(|namespace| json!({"name": "gateway", "namespace": namespace}));
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": host, "namespace": namespace},
        "spec": {"parentRefs": parents, "hostnames": [host], "rules": rules},
    })
}

/// An HTTPRoute of the waypoint, for a Service of `amb`.
pub(in crate::places) fn waypoint_route(name: &str, service: &str, rules: Value) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "amb"},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": service}], "rules": rules},
    })
}
