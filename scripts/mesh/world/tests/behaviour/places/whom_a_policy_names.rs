//! Each policy faults what it names, and nothing else: where a proxy stands, where a request goes, and who sends it.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use harness::Request;
use serde_json::{Value, json};

use super::town::{Town, alias};
use crate::support::Caller;

/// By name, which is also the path: what stands before the rules, and the match beside the path.
const POLICIES: [(&str, &str, &str); 27] = [
    ("anywhere", "mode: inject", ""),
    ("at-cart", "selector: {service: cart, namespace: shop}", ""),
    ("at-cart-too", "selector: {service: cart-too, namespace: shop}", ""),
    ("at-edge", "selector: {service: gateway-istio, namespace: edge}", ""),
    // A gateway's workload has the name of its Deployment, not that of its Gateway.
    ("at-nothing", "selector: {service: gateway, namespace: edge}", ""),
    ("at-orders", "selector: {service: orders, namespace: amb}", ""),
    ("at-orders-too", "selector: {service: orders-too, namespace: amb}", ""),
    ("at-bank", "selector: {host: api.bank.example}", ""),
    ("at-evil", "selector: {host: orders.amb.svc.evil.example}", ""),
    ("at-amb", "selector: {namespace: amb}", ""),
    ("by-web", "direction: outbound; selector: {service: web, namespace: shop}", ""),
    ("by-edge", "direction: outbound; selector: {service: gateway-istio, namespace: edge}", ""),
    ("to-anything", "direction: outbound; destination: {service: '*'}", ""),
    ("to-shop", "direction: outbound; destination: {namespace: shop}", ""),
    ("to-cart", "direction: outbound; destination: {service: cart, namespace: shop}", ""),
    ("to-cart-too", "direction: outbound; destination: {service: cart-too, namespace: shop}", ""),
    ("to-legacy", "direction: outbound; destination: {service: legacy, namespace: shop}", ""),
    ("to-orders", "direction: outbound; destination: {service: orders, namespace: amb}", ""),
    ("to-partner", "direction: outbound; destination: {host: api.partner.example}", ""),
    ("to-partners", "direction: outbound; destination: {host: '*.partner.example'}", ""),
    ("to-bank", "direction: outbound; destination: {host: api.bank.example}", ""),
    ("to-evil", "direction: outbound; destination: {host: orders.amb.svc.evil.example}", ""),
    ("from-web", "selector: {service: cart}", "namespace: shop, serviceAccount: web"),
    ("from-edge", "selector: {service: '*'}", "namespace: edge, serviceAccount: gateway-istio"),
    ("from-shop", "selector: {service: '*'}", "namespace: shop, serviceAccount: gateway-istio"),
    ("from-anybody", "selector: {service: cart}", "namespace: '*'"),
    ("from-nobody", "selector: {service: '*'}", "namespace: shop, serviceAccount: cart"),
];

/// A host that no Service has, and whose requests are those of `cart`.
pub(super) fn objects() -> Vec<Value> {
    vec![alias("legacy", json!({}))]
}

pub(super) fn policies() -> String {
    let policy = |(name, head, source): &(&str, &str, &str)| {
        let head = head.replace("; ", "\n  ");
        let source = if source.is_empty() { String::new() } else { format!(", source: {{{source}}}") };
        format!(
            "metadata: {{name: {name}}}\nspec:\n  {head}\n  rules:\n    - match: {{path: {{exact: /{name}}}{source}}}\n      \
             fault: {{percentage: 100, abort: {{httpStatus: 503}}}}\n"
        )
    };
    POLICIES.iter().map(policy).collect::<Vec<_>>().join("---\n")
}

/// A way through the mesh, and the policies that it meets.
type Way<'t> = (&'static str, Caller<'t>, SocketAddr, &'static str, &'static [&'static str]);

fn ways(town: &Town) -> Vec<Way<'_>> {
    let (web, outside) = (town.web(), town.outside());
    let outbound = SocketAddr::from(([192, 0, 2, 1], 80));
    vec![
        (
            "from web to cart",
            web,
            town.cart,
            "cart",
            &[
                "anywhere",
                "at-cart",
                "by-web",
                "to-anything",
                "to-shop",
                "to-cart",
                "from-web",
                "from-anybody",
            ],
        ),
        (
            "from web to the other Service of cart",
            web,
            town.cart_too,
            "cart-too.shop",
            &[
                "anywhere",
                "at-cart",
                "by-web",
                "to-anything",
                "to-shop",
                "to-cart-too",
                "from-web",
                "from-anybody",
            ],
        ),
        (
            "from web to cart by a VirtualService",
            web,
            outbound,
            "legacy.shop.svc.cluster.local",
            &[
                "anywhere",
                "at-cart",
                "by-web",
                "to-anything",
                "to-shop",
                "to-cart",
                "to-legacy",
                "from-web",
                "from-anybody",
            ],
        ),
        (
            "from web to ambient orders",
            web,
            town.orders,
            "orders.amb",
            &["by-web", "to-anything", "to-orders"],
        ),
        (
            "from web to a partner",
            web,
            outbound,
            "api.partner.example",
            &["by-web", "to-anything", "to-partner", "to-partners"],
        ),
        (
            "from edge to cart",
            outside,
            town.edge,
            "shop.example.com",
            &[
                "anywhere",
                "at-cart",
                "at-edge",
                "by-edge",
                "to-anything",
                "to-shop",
                "to-cart",
                "from-edge",
                "from-anybody",
            ],
        ),
        (
            "from the gateway of shop to cart",
            outside,
            town.shop,
            "shop.example.com",
            &["anywhere", "at-cart", "to-anything", "to-shop", "to-cart", "from-shop", "from-anybody"],
        ),
        (
            "from edge to orders",
            outside,
            town.edge,
            "orders.example.com",
            &[
                "anywhere",
                "at-edge",
                "at-orders",
                "at-amb",
                "by-edge",
                "to-anything",
                "to-orders",
                "from-edge",
            ],
        ),
        (
            "from the gateway of shop to orders",
            outside,
            town.shop,
            "orders.example.com",
            &["anywhere", "at-orders", "at-amb", "to-anything", "to-orders", "from-shop"],
        ),
        (
            "from edge to the other Service of orders",
            outside,
            town.edge,
            "orders-too.example.com",
            &["anywhere", "at-edge", "at-orders-too", "at-amb", "by-edge", "to-anything", "from-edge"],
        ),
        (
            "from edge to a partner",
            outside,
            town.edge,
            "partner.example.com",
            &["anywhere", "at-edge", "by-edge", "to-anything", "to-partner", "to-partners"],
        ),
        (
            "from edge to a bank behind the waypoint",
            outside,
            town.edge,
            "bank.example.com",
            &["anywhere", "at-edge", "at-bank", "by-edge", "to-anything", "to-bank", "from-edge"],
        ),
        (
            "from edge to what looks like orders",
            outside,
            town.edge,
            "evil.example.com",
            &["anywhere", "at-edge", "at-evil", "by-edge", "to-anything", "to-evil", "from-edge"],
        ),
        // Without mutual TLS nobody has shown who calls.
        ("from outside to cart", outside, town.cart, "cart.shop", &["anywhere", "at-cart"]),
    ]
}

pub(super) async fn and_nobody_else(town: &Town) -> Result<()> {
    let mut wrong = Vec::new();
    for (way, caller, address, host, expected) in ways(town) {
        let requests = POLICIES.map(|(name, ..)| Request::get(&format!("/{name}")).header("host", host));
        let answers = caller.send(address, requests.into()).await?;
        for ((name, ..), answer) in POLICIES.iter().zip(&answers) {
            let faulted = answer.header("x-hfi-policy");
            let as_expected = match expected.contains(name) {
                true => answer.aborted() && faulted == Some(name),
                false => answer.status == 200 && faulted.is_none(),
            };
            if !as_expected {
                wrong.push(format!("{way}: {name}: {}, policy {faulted:?}", answer.status));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The way of each request, without a policy.
pub(super) async fn once_it_is_gone(town: &Town) -> Result<()> {
    for (way, caller, address, host, _) in ways(town) {
        let answer = caller.ask(address, Request::get("/anywhere").header("host", host)).await?;
        ensure!(answer.status == 200, "{way}: {answer:?}");
    }
    Ok(())
}
