//! A mesh that has all places at which faults happen.
//!
//! ```text
//!  outside ──▶ edge/gateway ──┬──────────────────────▶ sidecar ─▶ shop/cart
//!  outside ──▶ shop/gateway ──┤  amb/waypoint ─────────────────▶ amb/orders
//!  shop/web ─▶ sidecar ───────┘                                  shop/cart-canary
//! ```

mod objects;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use harness::{Answer, GitHttp, Repository, Request, Upstream};
use serde_json::{Value, json};
use world::World;

use crate::support::{
    Caller, address, deploy, get, install, merge, provider, roll_out_gateway, serve, start_with_gateways,
};
pub(super) use objects::{alias, route, to_service, waypoint_route};

/// The port of a server on the node, which is outside of the mesh.
pub(super) const PARTNER: u16 = 7070;

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
    canary: SocketAddr,
    pub(super) orders: SocketAddr,
    _git: GitHttp,
    _partner: Upstream,
}

impl Town {
    /// Builds it, with further objects, and waits until all its proxies are ready.
    pub(super) async fn start(objects: Vec<Value>) -> Result<Self> {
        let world = start_with_gateways().await?;
        let policies = Repository::new().await?;
        let _git = serve(&world, &policies).await?;
        let _partner = Upstream::start_at((world.address(), PARTNER).into()).await?;
        world.configure_mesh(|mesh| merge(mesh, json!({"extensionProviders": [provider()]})))?;
        world.apply(&objects::namespaces()).await?;
        for (namespace, plugin) in
            [("shop", "sidecar"), ("shop", "gateway"), ("edge", "gateway"), ("amb", "waypoint")]
        {
            install(&world, namespace, &format!("k8s/plugin/{plugin}")).await?;
        }
        deploy(&world, "default").await?;
        world.apply(&objects::inhabitants(&world)).await?;
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
            roll_out_gateway(&world, namespace, name).await?;
        }
        let at = async |namespace, name| address(&world, namespace, name).await;
        let (edge, shop) = (at("edge", "gateway-istio").await?, at("shop", "gateway-istio").await?);
        let (cart, cart_too) = (at("shop", "cart").await?, at("shop", "cart-too").await?);
        let canary = at("shop", "cart-canary").await?;
        let orders = at("amb", "orders").await?;
        Ok(Self { world, policies, edge, shop, cart, cart_too, canary, orders, _git, _partner })
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

    /// Waits until each proxy runs the policies of [`SETTLED`], or none does. Each request has a path that only the
    /// proxy in question answers: a gateway's request would else get the fault of the Pod behind it.
    pub(super) async fn settled(&self, is_faulted: bool) -> Result<()> {
        let wanted = move |answer: &Answer| if is_faulted { answer.aborted() } else { answer.status == 200 };
        let (outside, web) = (self.outside(), self.web());
        for (caller, address, host, path) in [
            (&outside, self.edge, "shop.example.com", "/settled-at-gateways"),
            (&outside, self.edge, "shop.example.com", "/settled-outbound"),
            (&outside, self.shop, "shop.example.com", "/settled-at-gateways"),
            (&outside, self.shop, "shop.example.com", "/settled-outbound"),
            (&outside, self.cart, "cart.shop", "/settled-at-cart"),
            (&outside, self.canary, "cart-canary.shop", "/settled-at-canaries"),
            (&web, self.orders, "orders.amb", "/settled-outbound"),
            (&outside, self.edge, "orders.example.com", "/settled-at-orders"),
        ] {
            caller.until(address, Request::get(path).header("host", host), wanted).await?;
        }
        Ok(())
    }
}

/// For each kind of proxy a path that it alone answers.
pub(super) const SETTLED: &str = "\
metadata: {name: settled-at-gateways}
spec:
  selector: {service: gateway-istio}
  rules: [{match: {path: {exact: /settled-at-gateways}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: settled-outbound}
spec:
  direction: outbound
  rules: [{match: {path: {exact: /settled-outbound}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: settled-at-cart}
spec:
  selector: {service: cart}
  rules: [{match: {path: {exact: /settled-at-cart}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: settled-at-canaries}
spec:
  selector: {service: cart-canary}
  rules: [{match: {path: {exact: /settled-at-canaries}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: settled-at-orders}
spec:
  selector: {service: orders, namespace: amb}
  rules: [{match: {path: {exact: /settled-at-orders}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
";
