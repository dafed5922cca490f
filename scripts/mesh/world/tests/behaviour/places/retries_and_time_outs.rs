//! The proxies in front of a fault retry it and end its delay, as they would with an answer of the callee.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{CONFIDENCE, Load, Request, expected};
use serde_json::{Value, json};

use super::town::{Town, alias, route, to_service, waypoint_route};
use crate::support::Caller;

const REQUESTS: usize = 400;

/// Longer than the time-out of the routes.
const DELAY: Duration = Duration::from_millis(2000);

pub(super) const POLICIES: &str = "\
metadata: {name: retries-at-callee}
spec:
  selector: {service: cart, namespace: shop}
  rules:
    - {match: {path: {prefix: /callee/503}}, fault: {percentage: 50, abort: {httpStatus: 503}}}
    - {match: {path: {prefix: /callee/429}}, fault: {percentage: 50, abort: {httpStatus: 429}}}
    - {match: {path: {prefix: /callee/unavailable}}, fault: {percentage: 50, abort: {grpcStatus: UNAVAILABLE}}}
    - {match: {path: {prefix: /callee/cancelled}}, fault: {percentage: 50, abort: {grpcStatus: CANCELLED}}}
    - {match: {path: {prefix: /callee/internal}}, fault: {percentage: 50, abort: {grpcStatus: INTERNAL}}}
    - {match: {path: {prefix: /callee/slow}}, fault: {percentage: 100, delay_ms: 2000}}
---
metadata: {name: retries-at-caller}
spec:
  selector: {service: web, namespace: shop}
  direction: outbound
  rules:
    - {match: {path: {prefix: /caller/503}}, fault: {percentage: 50, abort: {httpStatus: 503}}}
    - {match: {path: {prefix: /caller/unavailable}}, fault: {percentage: 50, abort: {grpcStatus: UNAVAILABLE}}}
    - {match: {path: {prefix: /caller/slow}}, fault: {percentage: 100, delay_ms: 2000}}
---
metadata: {name: retries-at-gateway}
spec:
  selector: {service: gateway-istio, namespace: edge}
  rules:
    - {match: {path: {prefix: /gateway/503}}, fault: {percentage: 50, abort: {httpStatus: 503}}}
    - {match: {path: {prefix: /gateway/unavailable}}, fault: {percentage: 50, abort: {grpcStatus: UNAVAILABLE}}}
    - {match: {path: {prefix: /gateway/slow}}, fault: {percentage: 100, delay_ms: 2000}}
---
metadata: {name: retries-at-waypoint}
spec:
  selector: {namespace: amb}
  rules:
    - {match: {path: {prefix: /waypoint/503}}, fault: {percentage: 50, abort: {httpStatus: 503}}}
    - {match: {path: {prefix: /waypoint/unavailable}}, fault: {percentage: 50, abort: {grpcStatus: UNAVAILABLE}}}
    - {match: {path: {prefix: /waypoint/slow}}, fault: {percentage: 100, delay_ms: 2000}}
";

/// Routes with two more tries, and half a second for all of them.
pub(super) fn objects() -> Vec<Value> {
    let retries = json!({"timeout": "500ms", "retries": {"attempts": 2, "retryOn": "5xx"}});
    let rules = |service: &str, prefix: &str| {
        json!([{
            "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
            "backendRefs": [to_service(service)],
            "timeouts": {"request": "500ms"},
            "retry": {"attempts": 2, "codes": [503]},
        }])
    };
    vec![
        alias("patient", retries),
        route("shop", "patient.example.com", rules("cart", "/")),
        route("amb", "patient-orders.example.com", rules("orders", "/")),
        waypoint_route("patient-waypoint", "orders-too", rules("orders-too", "/waypoint")),
    ]
}

/// With whether it is a gRPC call, and the share of the requests that the caller sees aborted.
type Row<'t> = (Caller<'t>, SocketAddr, &'static str, &'static str, bool, f64);

fn rows(town: &Town) -> Vec<Row<'_>> {
    let (web, outside) = (town.web(), town.outside());
    let (any, edge) = (SocketAddr::from(([192, 0, 2, 1], 80)), town.edge);
    let (patient, public) = ("patient.shop.svc.cluster.local", "patient.example.com");
    let (half, eighth) = (0.5, 0.125);
    vec![
        // By default Istio tries gRPC calls three times, and a request with status 503 once.
        (web, town.cart, "cart", "/callee/503", false, half),
        (web, town.cart, "cart", "/callee/429", false, half),
        (web, town.cart, "cart", "/callee/503", true, eighth),
        (web, town.cart, "cart", "/callee/429", true, eighth),
        (web, town.cart, "cart", "/callee/unavailable", true, eighth),
        (web, town.cart, "cart", "/callee/cancelled", true, eighth),
        (web, town.cart, "cart", "/callee/internal", true, half),
        (outside, edge, "shop.example.com", "/callee/503", false, half),
        (outside, edge, "shop.example.com", "/callee/unavailable", true, eighth),
        (outside, edge, "orders.example.com", "/waypoint/503", false, half),
        (outside, edge, "orders.example.com", "/waypoint/unavailable", true, eighth),
        (web, town.cart, "cart", "/caller/unavailable", true, half),
        (outside, edge, "shop.example.com", "/gateway/unavailable", true, half),
        // With retries of the route for this status.
        (web, any, patient, "/callee/503", false, eighth),
        (web, any, patient, "/caller/503", false, half),
        (outside, edge, public, "/callee/503", false, eighth),
        (outside, edge, public, "/gateway/503", false, half),
        (outside, edge, "patient-orders.example.com", "/waypoint/503", false, eighth),
        // This route is the waypoint's own.
        (outside, edge, "orders-too.example.com", "/waypoint/503", false, half),
    ]
}

pub(super) async fn what_is_left_of_a_fault(town: &Town) -> Result<()> {
    let mut wrong = Vec::new();
    for (caller, address, host, path, is_grpc, share) in rows(town) {
        let mut request = Request::get(path).header("host", host);
        if is_grpc {
            request = request.header("content-type", "application/grpc");
        }
        let results = caller.load(address, Load::of(request, REQUESTS)).await?;
        let range = expected(REQUESTS, share, CONFIDENCE);
        // The status of gRPC stands beside that of HTTP.
        let others = results.with_status(200) + if is_grpc { 0 } else { results.aborted() };
        if others != REQUESTS || !range.contains(&results.aborted()) {
            wrong.push(format!("{host}{path} gRPC {is_grpc}: not {range:?}: {results:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

pub(super) async fn which_delays_end_early(town: &Town) -> Result<()> {
    let (web, outside) = (town.web(), town.outside());
    let any = SocketAddr::from(([192, 0, 2, 1], 80));
    let (patient, public) = ("patient.shop.svc.cluster.local", "patient.example.com");
    let mut wrong = Vec::new();
    for (caller, address, host, path, is_ended) in [
        (web, any, patient, "/callee/slow", true),
        (web, any, patient, "/caller/slow", false),
        (outside, town.edge, public, "/callee/slow", true),
        (outside, town.edge, public, "/gateway/slow", false),
        (outside, town.edge, "patient-orders.example.com", "/waypoint/slow", true),
        (outside, town.edge, "orders-too.example.com", "/waypoint/slow", false),
    ] {
        let answer = caller.ask(address, Request::get(path).header("host", host)).await?;
        let as_expected = match is_ended {
            true => answer.status == 504 && answer.took < DELAY,
            false => answer.status == 200 && answer.took >= DELAY,
        };
        if !as_expected {
            wrong.push(format!("{host}{path}: {} after {:?}", answer.status, answer.took));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
