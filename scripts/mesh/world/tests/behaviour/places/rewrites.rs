//! A match sees path, authority and headers as they were before the route at the caller, at a gateway and at a
//! waypoint, and as the route has made them at the callee.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use harness::Request;
use serde_json::{Value, json};

use super::town::{Town, alias, route, to_service, waypoint_route};
use crate::support::Caller;

const AFTER: &str = "after.example";

/// One for each place and each form of the request: the header `x-case` says which is meant.
pub(super) fn policies() -> String {
    let mut policies = Vec::new();
    for (place, head) in [
        ("caller", "{direction: outbound, selector: {service: web, namespace: shop}"),
        ("gateway", "{selector: {service: gateway-istio, namespace: edge}"),
        ("waypoint", "{selector: {service: orders-too, namespace: amb}"),
        ("callee", "{selector: {service: cart, namespace: shop}"),
    ] {
        for (form, host) in [("before", "not: {exact: after.example}"), ("after", "exact: after.example")] {
            policies.push(format!(
                "metadata: {{name: {form}-at-{place}}}\n\
                 spec: {head}, rules: [{{match: {{path: {{exact: /rewrite/{form}}}, headers: [\n  \
                 {{name: x-case, exact: {form}-at-{place}}}, {{name: x-form, exact: {form}}}, {{name: host, {host}}}]}},\n  \
                 fault: {{percentage: 100, abort: {{httpStatus: 503}}}}}}]}}\n"
            ));
        }
    }
    policies.join("---\n")
}

pub(super) fn objects() -> Vec<Value> {
    let rewrite = json!({
        "match": [{"uri": {"prefix": "/rewrite/before"}}],
        "rewrite": {"uri": "/rewrite/after", "authority": AFTER},
        "headers": {"request": {"set": {"x-form": "after"}}},
    });
    let rule = |service: &str| {
        json!({
            "matches": [{"path": {"type": "Exact", "value": "/rewrite/before"}}],
            "backendRefs": [to_service(service)],
            "filters": [
                {
                    "type": "URLRewrite",
                    "urlRewrite": {
                        "hostname": AFTER,
                        "path": {"type": "ReplaceFullPath", "replaceFullPath": "/rewrite/after"},
                    },
                },
                {
                    "type": "RequestHeaderModifier",
                    "requestHeaderModifier": {"set": [{"name": "x-form", "value": "after"}]},
                },
            ],
        })
    };
    // A waypoint with a route for a Service answers 404 to what the route does not match.
    let others = json!({"backendRefs": [to_service("orders-too")]});
    vec![
        alias("rewritten", rewrite),
        route("shop", "rewritten.example.com", json!([rule("cart")])),
        waypoint_route("rewriting-waypoint", "orders-too", json!([rule("orders-too"), others])),
    ]
}

type Case<'t> = (&'static str, Caller<'t>, SocketAddr, &'static str, &'static str);

pub(super) async fn before_the_route_but_at_the_callee(town: &Town) -> Result<()> {
    let (web, outside) = (town.web(), town.outside());
    let (any, service) = (SocketAddr::from(([192, 0, 2, 1], 80)), "rewritten.shop.svc.cluster.local");
    let cases: [Case<'_>; 5] = [
        ("caller", web, any, service, "before"),
        ("callee", web, any, service, "after"),
        ("gateway", outside, town.edge, "rewritten.example.com", "before"),
        ("callee", outside, town.edge, "rewritten.example.com", "after"),
        ("waypoint", outside, town.edge, "orders-too.example.com", "before"),
    ];
    let mut wrong = Vec::new();
    for (place, caller, address, host, seen) in cases {
        for form in ["before", "after"] {
            let case = format!("{form}-at-{place}");
            let request = Request::get("/rewrite/before").header("host", host);
            let request = request.header("x-form", "before").header("x-case", &case);
            let answer = caller.ask(address, request).await?;
            if answer.aborted() != (form == seen) {
                wrong.push(format!("{case} of {host}: {answer:?}"));
            }
            if form != seen {
                let echo: Value = serde_json::from_str(&answer.body).context("no echo")?;
                let is_rewritten = echo.pointer("/path").is_some_and(|path| path == "/rewrite/after")
                    && answer.seen_by_workload("host").as_deref() == Some(AFTER);
                ensure!(is_rewritten, "{host}: {echo}");
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
