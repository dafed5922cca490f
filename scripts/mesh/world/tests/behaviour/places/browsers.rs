//! Faults and CORS: which proxy answers a preflight, and which faults a browser may read.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use harness::Request;
use serde_json::{Value, json};

use super::town::{Town, alias, route, to_service, waypoint_route};
use crate::support::Caller;

const ORIGIN: &str = "https://page.example";

pub(super) const POLICIES: &str = "\
metadata: {name: browsers-at-caller}
spec:
  selector: {service: web, namespace: shop}
  direction: outbound
  rules: [{match: {path: {exact: /browser/caller}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: browsers-at-gateway}
spec:
  selector: {service: gateway-istio, namespace: edge}
  rules: [{match: {path: {exact: /browser/gateway}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: browsers-at-waypoint}
spec:
  selector: {namespace: amb}
  rules: [{match: {path: {exact: /browser/waypoint}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: browsers-at-callee}
spec:
  selector: {service: cart, namespace: shop}
  rules: [{match: {path: {exact: /browser/callee}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
";

pub(super) fn objects() -> Vec<Value> {
    let policy = json!({"corsPolicy": {"allowOrigins": [{"exact": ORIGIN}], "allowMethods": ["GET"]}});
    let rules = |service: &str| {
        json!([{
            "backendRefs": [to_service(service)],
            "filters": [{"type": "CORS", "cors": {"allowOrigins": [ORIGIN], "allowMethods": ["GET"]}}],
        }])
    };
    vec![
        alias("browsed", policy),
        route("shop", "browsed.example.com", rules("cart")),
        route("amb", "browsed-orders.example.com", rules("orders-too")),
        waypoint_route("browsed-waypoint", "orders", rules("orders")),
    ]
}

/// With whether the preflight is hit, and whether the browser may read the fault of the request itself.
type Case<'t> = (Caller<'t>, SocketAddr, &'static str, &'static str, bool, bool);

pub(super) async fn what_they_may_read(town: &Town) -> Result<()> {
    let (web, outside) = (town.web(), town.outside());
    let (any, browsed) = (SocketAddr::from(([192, 0, 2, 1], 80)), "browsed.shop.svc.cluster.local");
    let cases: [Case<'_>; 7] = [
        (web, any, browsed, "/browser/caller", true, false),
        (outside, town.edge, "browsed.example.com", "/browser/gateway", true, false),
        (outside, town.edge, "orders.example.com", "/browser/waypoint", false, true),
        (outside, town.edge, "browsed-orders.example.com", "/browser/waypoint", false, true),
        (web, any, browsed, "/browser/callee", false, true),
        (outside, town.edge, "browsed.example.com", "/browser/callee", false, true),
        // No route of the mesh knows of CORS: the callee would.
        (web, town.cart, "cart", "/browser/callee", true, false),
    ];
    let mut wrong = Vec::new();
    for (caller, address, host, path, preflight_is_hit, is_readable) in cases {
        let request = Request::get(path).header("host", host).header("origin", ORIGIN);
        let preflight = request.clone().method("OPTIONS".parse()?);
        let preflight = preflight.header("access-control-request-method", "GET");
        let answers = caller.send(address, vec![preflight, request]).await?;
        for (answer, (is_hit, is_allowed)) in
            answers.iter().zip([(preflight_is_hit, !preflight_is_hit), (true, is_readable)])
        {
            let allowed = answer.header("access-control-allow-origin") == Some(ORIGIN);
            if answer.aborted() != is_hit || allowed != is_allowed {
                wrong.push(format!("{host}{path}: {answer:?}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
