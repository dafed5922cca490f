//! A mesh that has all places at which faults happen.
//!
//! ```text
//!  outside ──▶ edge/gateway ──┬──────────────────────▶ sidecar ─▶ shop/cart
//!  outside ──▶ shop/gateway ──┤  amb/waypoint ─────────────────▶ amb/orders
//!  shop/web ─▶ sidecar ───────┘                                  shop/cart-canary
//! ```

use std::collections::BTreeSet;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use harness::{Answer, GitHttp, Repository, Request, Upstream};
use serde_json::{Value, json};
use world::World;

use crate::support::{
    Caller, PATIENCE, address, deploy, gateway, get, install, merge, roll_out, serve, service, start,
    waypoint, workload,
};

/// The port of a server on the node, which is outside of the mesh.
pub(super) const PARTNER: u16 = 7070;

/// The control plane as waypoints need it: an extension provider refers to it.
const PROVIDER: (&str, &str) = ("hfi-control-plane", "boifi/hfi-control-plane.boifi.svc.cluster.local");

/// The world, its policies, and the addresses of its gateways and Services.
pub(super) struct Town {
    pub(super) world: World,
    pub(super) policies: Repository,
    /// The gateway of the namespace `edge`, with the plugin `hfi-gateway`.
    pub(super) edge: SocketAddr,
    /// The gateway of the namespace `shop`, where also `hfi-outbound` runs.
    pub(super) shop: SocketAddr,
    pub(super) cart: SocketAddr,
    pub(super) cart_too: SocketAddr,
    pub(super) orders: SocketAddr,
    _git: GitHttp,
    _partner: Upstream,
}

impl Town {
    /// Builds it, with further objects, and waits until all its proxies are ready.
    pub(super) async fn start(objects: Vec<Value>) -> Result<Self> {
        let world = start().await?;
        let policies = Repository::new().await?;
        let _git = serve(&world, &policies).await?;
        let _partner = Upstream::start_at((world.address(), PARTNER).into()).await?;
        let provider = json!({"name": PROVIDER.0, "opentelemetry": {"service": PROVIDER.1, "port": 8080}});
        world.configure_mesh(|mesh| merge(mesh, json!({"extensionProviders": [provider]})))?;
        world.apply(&namespaces()).await?;
        for (namespace, plugin) in
            [("shop", "sidecar"), ("shop", "gateway"), ("edge", "gateway"), ("amb", "waypoint")]
        {
            install(&world, namespace, &format!("k8s/plugin/{plugin}")).await?;
        }
        deploy(&world, "default").await?;
        world.apply(&inhabitants(&world)).await?;
        world.apply(&objects).await?;
        let deployments = [
            ("shop", "web"),
            ("shop", "cart"),
            ("shop", "cart-canary"),
            ("shop", "gateway-istio"),
            ("edge", "gateway-istio"),
            ("amb", "orders"),
            ("amb", "waypoint"),
        ];
        for (namespace, name) in deployments {
            let (deployment, patience) = (format!("deployment/{name}"), format!("{}s", PATIENCE.as_secs()));
            let made =
                ["wait", "--for=create", &deployment, "--namespace", namespace, "--timeout", &patience];
            world.kubectl(&made).await?;
            roll_out(&world, namespace, name).await?;
        }
        let at = async |namespace, name| address(&world, namespace, name).await;
        let (edge, shop) = (at("edge", "gateway-istio").await?, at("shop", "gateway-istio").await?);
        let (cart, cart_too) = (at("shop", "cart").await?, at("shop", "cart-too").await?);
        let orders = at("amb", "orders").await?;
        Ok(Self { world, policies, edge, shop, cart, cart_too, orders, _git, _partner })
    }

    /// Whoever calls from outside of the mesh.
    pub(super) fn outside(&self) -> Caller<'_> {
        Caller::outside(&self.world)
    }

    /// The application `web` of `shop`.
    pub(super) fn web(&self) -> Caller<'_> {
        Caller::inside(&self.world, "shop", "web")
    }

    /// The filters of hfi in the gateway of a namespace, by the names of their plugins.
    pub(super) async fn filters_of_gateway(&self, namespace: &str) -> Result<BTreeSet<String>> {
        let selector = "gateway.networking.k8s.io/gateway-name=gateway";
        let pods = get(&self.world, namespace, &format!("pods --selector={selector}")).await?;
        let pod = pods.pointer("/items/0/metadata/name").and_then(Value::as_str).context("no gateway")?;
        let command = ["pilot-agent", "request", "GET", "config_dump?resource=dynamic_listeners"];
        let output = self.world.kubelet().exec(namespace, pod, "istio-proxy", &command).await?;
        let dump = String::from_utf8(output.stdout)?;
        let names = dump.split('"').filter(|text| text.contains(&format!("{namespace}.hfi-")));
        Ok(names.map(ToOwned::to_owned).collect())
    }

    /// Waits until each proxy runs the policy that answers `/settled` there, or none does.
    pub(super) async fn settled(&self, is_faulted: bool) -> Result<()> {
        let wanted = move |answer: &Answer| if is_faulted { answer.aborted() } else { answer.status == 200 };
        for (caller, address, host) in [
            (self.outside(), self.edge, "shop.example.com"),
            (self.outside(), self.shop, "shop.example.com"),
            (self.outside(), self.cart, "cart.shop"),
            (self.web(), self.orders, "orders.amb"),
        ] {
            let request = Request::get("/settled").header("host", host);
            caller.until(address, request, wanted).await?;
        }
        // The gateway in front of the waypoint must not answer for it.
        let request = Request::get("/settled-behind-the-gateway").header("host", "orders.example.com");
        self.outside().until(self.edge, request, wanted).await
    }
}

/// Answers `/settled` in every proxy.
pub(super) const SETTLED: &str = "\
metadata: {name: settled}
spec:
  rules: [{match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: settled-outbound}
spec:
  direction: outbound
  rules: [{match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: settled-behind-the-gateway}
spec:
  selector: {service: orders, namespace: amb}
  rules:
    - match: {path: {exact: /settled-behind-the-gateway}}
      fault: {percentage: 100, abort: {httpStatus: 503}}
";

fn namespaces() -> Vec<Value> {
    let namespace = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    vec![
        namespace("shop", json!({"istio-injection": "enabled"})),
        namespace("edge", json!({})),
        namespace("amb", json!({"istio.io/dataplane-mode": "ambient"})),
        namespace("tenant", json!({})),
    ]
}

/// The workloads, the gateways, and what leads from one to the other.
fn inhabitants(world: &World) -> Vec<Value> {
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
pub(super) fn to_service(name: &str) -> Value {
    json!({"name": name, "port": 80})
}

/// The reference of a route to the host of a ServiceEntry.
fn to_host(host: &str) -> Value {
    json!({"group": "networking.istio.io", "kind": "Hostname", "name": host, "port": 80})
}

/// A VirtualService for a host of `shop` that no Service has. Without a `route` in it, it leads to `cart`.
pub(super) fn alias(name: &str, http: Value) -> Value {
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
pub(super) fn route(namespace: &str, host: &str, rules: Value) -> Value {
    let parents = ["edge", "shop"].map(|namespace| json!({"name": "gateway", "namespace": namespace}));
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": host, "namespace": namespace},
        "spec": {"parentRefs": parents, "hostnames": [host], "rules": rules},
    })
}

/// An HTTPRoute of the waypoint, for a Service of `amb`.
pub(super) fn waypoint_route(name: &str, service: &str, rules: Value) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "amb"},
        "spec": {"parentRefs": [{"group": "", "kind": "Service", "name": service}], "rules": rules},
    })
}
