//! A policy for the Service of a canary hits the share that the route sends there.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use harness::{CONFIDENCE, Load, Request, expected};
use serde_json::{Value, json};

use super::town::{Town, alias, route};

const REQUESTS: usize = 600;

pub(super) const POLICIES: &str = "\
metadata: {name: canary-by-destination}
spec:
  direction: outbound
  destination: {service: cart-canary, namespace: shop}
  rules: [{match: {path: {exact: /canary/destination}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: canary-by-selector}
spec:
  selector: {service: cart-canary, namespace: shop}
  rules: [{match: {path: {exact: /canary/selector}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
";

/// Routes that send one in five requests to the canary.
pub(super) fn objects() -> Vec<Value> {
    let shares = [("cart", 80), ("cart-canary", 20)];
    let routes = shares.map(|(name, weight)| {
        json!({"destination": {"host": format!("{name}.shop.svc.cluster.local")}, "weight": weight})
    });
    let backends = shares.map(|(name, weight)| json!({"name": name, "port": 80, "weight": weight}));
    vec![
        alias("split", json!({"route": routes})),
        route("shop", "split.example.com", json!([{"backendRefs": backends}])),
    ]
}

pub(super) async fn get_their_share(town: &Town) -> Result<()> {
    for (caller, address, host) in [
        (town.web(), SocketAddr::from(([192, 0, 2, 1], 80)), "split.shop.svc.cluster.local"),
        (town.outside(), town.edge, "split.example.com"),
    ] {
        for path in ["/canary/destination", "/canary/selector"] {
            let request = Request::get(path).header("host", host);
            let results = caller.load(address, Load::of(request, REQUESTS)).await?;
            let share = results.aborted();
            ensure!(expected(REQUESTS, 0.2, CONFIDENCE).contains(&share), "{host}{path}: {share}");
            ensure!(share + results.with_status(200) == REQUESTS, "{host}{path}: {results:?}");
        }
    }
    Ok(())
}
