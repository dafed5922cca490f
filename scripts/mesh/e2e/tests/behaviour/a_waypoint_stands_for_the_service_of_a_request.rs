use anyhow::Result;
use harness::{Answer, Behaviour, Envoy, Mesh, Request, Sidecar, everywhere};

use crate::scripted::{Scripted, aborting};

/// As Istio names them, and then two that it would not.
const CHAINS: [&str; 7] = [
    "inbound-vip|443|http|api.partner.example",
    "inbound-vip|80|http|orders.demo.svc.evil.example",
    "inbound-vip|80|http|orders.demo.svc.cluster.local",
    "inbound-vip|80|http|cart.demo.svc.cluster.local",
    "inbound-vip|80|http|orders.shop.svc.cluster.local",
    "direct-http",
    "",
];

const PATHS: [&str; 9] = [
    "/orders",
    "/cart",
    "/waypoint",
    "/elsewhere",
    "/namespace",
    "/partner",
    "/partners-in-shop",
    "/evil",
    "/everything",
];

/// Each path is that of one policy.
const POLICIES: &str = r#"
metadata: {name: for-orders}
spec:
  selector: {service: orders, namespace: demo}
  rules:
    - {match: {path: {exact: /orders}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-cart}
spec:
  selector: {service: cart, namespace: demo}
  rules:
    - {match: {path: {exact: /cart}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-the-proxy-itself}
spec:
  selector: {service: waypoint, namespace: demo}
  rules:
    - {match: {path: {exact: /waypoint}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-orders-elsewhere}
spec:
  selector: {service: orders, namespace: shop}
  rules:
    - {match: {path: {exact: /elsewhere}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-the-namespace}
spec:
  selector: {namespace: demo}
  rules:
    - {match: {path: {exact: /namespace}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-the-partner}
spec:
  selector: {host: api.partner.example}
  rules:
    - {match: {path: {exact: /partner}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-partners-in-shop}
spec:
  selector: {host: "*.partner.example", namespace: shop}
  rules:
    - {match: {path: {exact: /partners-in-shop}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-evil}
spec:
  selector: {host: orders.demo.svc.evil.example}
  rules:
    - {match: {path: {exact: /evil}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-everything}
spec:
  rules:
    - {match: {path: {exact: /everything}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn by_the_name_of_its_filter_chain() -> Result<()> {
    let expected: [&[&str]; 7] = [
        &["/partner", "/everything"],
        &["/evil", "/everything"],
        &["/orders", "/namespace", "/everything"],
        &["/cart", "/namespace", "/everything"],
        // Of a namespace that this waypoint does not serve.
        &["/everything"],
        &["/everything"],
        &["/everything"],
    ];
    faulted(|waypoint| waypoint, expected).await
}

#[tokio::test]
async fn in_the_namespaces_that_it_is_told() -> Result<()> {
    let expected: [&[&str]; 7] = [
        &["/partner", "/partners-in-shop", "/everything"],
        &["/evil", "/everything"],
        &["/orders", "/namespace", "/everything"],
        &["/cart", "/namespace", "/everything"],
        &["/elsewhere", "/everything"],
        &["/everything"],
        &["/everything"],
    ];
    faulted(|waypoint| waypoint.plugin("namespaces", ["demo", "shop"].as_slice().into()), expected).await
}

#[tokio::test]
async fn unless_it_is_told_the_service() -> Result<()> {
    let told = |waypoint: Sidecar| waypoint.plugin("service", "cart".into());
    faulted(told, [&["/cart", "/namespace", "/everything"]; 7]).await
}

/// Checks for each chain that it faults exactly these paths.
async fn faulted(change: impl FnOnce(Sidecar) -> Sidecar, expected: [&[&str]; 7]) -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let waypoint = Sidecar::of("waypoint", mesh.upstream.address()).waypoint(&CHAINS);
    let waypoint = change(waypoint.following(mesh.reconciler.address()));
    let envoy = Envoy::start(waypoint, &mesh.client).await?;
    for number in 0..7 {
        everywhere(envoy.chain(number), &Request::get("/everything"), Answer::aborted).await?;
    }
    for ((number, chain), expected) in (0..).zip(CHAINS).zip(expected) {
        for path in PATHS {
            let answer = mesh.client.send(envoy.chain(number), &Request::get(path)).await?;
            assert_eq!(answer.aborted(), expected.contains(&path), "{path} at the chain `{chain}`");
        }
    }
    Ok(())
}

#[tokio::test]
async fn and_asks_for_every_service_of_its_namespace() -> Result<()> {
    let waypoint = |sidecar: Sidecar| sidecar.waypoint(&CHAINS);
    let scripted = Scripted::with(Behaviour::Serve(aborting(501)?), waypoint).await?;
    let polls = scripted.control_plane.polled("a poll", |polls| !polls.is_empty()).await?;
    assert_eq!(polls[0].path, "/v1/snapshot?namespace=demo&service=*");
    Ok(())
}
