use anyhow::Result;
use harness::{Answer, Envoy, Load, Mesh, Request, Sidecar, everywhere, expected};

const PATHS: [&str; 6] = ["/orders", "/legacy", "/canary", "/api", "/partner", "/evil"];

/// Each path is that of one policy.
const POLICIES: &str = r#"
metadata: {name: to-orders}
spec:
  direction: outbound
  destination: {service: orders, namespace: shop}
  rules: [{match: {path: {exact: /orders}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: to-legacy}
spec:
  direction: outbound
  destination: {service: legacy, namespace: shop}
  rules: [{match: {path: {exact: /legacy}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: to-canary}
spec:
  direction: outbound
  destination: {service: orders-canary, namespace: shop}
  rules: [{match: {path: {exact: /canary}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: to-the-api}
spec:
  direction: outbound
  destination: {host: api.partner.example}
  rules: [{match: {path: {exact: /api}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: to-the-partner}
spec:
  direction: outbound
  destination: {host: "*.partner.example"}
  rules: [{match: {path: {exact: /partner}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: to-evil}
spec:
  direction: outbound
  destination: {host: orders.shop.svc.evil.example}
  rules: [{match: {path: {exact: /evil}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: to-everything}
spec:
  direction: outbound
  rules: [{match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
"#;

/// A public host, one of a VirtualService that rewrites it, two of ServiceEntries, and a tenant's ServiceEntry that
/// looks like a service of the mesh.
fn routed(sidecar: Sidecar) -> Sidecar {
    sidecar
        .routing("shop.example.com", "outbound|80||orders.shop.svc.cluster.local")
        .routing("legacy.shop.svc.cluster.local", "outbound|80|v2|orders.shop.svc.cluster.local")
        .rewriting("orders.shop")
        .routing("api.partner.example", "outbound|443||api.partner.example")
        .routing("wild.partner.example", "outbound|443||*.partner.example")
        .routing("orders.shop.svc.evil.example", "outbound|80||orders.shop.svc.evil.example")
        .splitting(
            "orders.shop.svc.cluster.local",
            &[
                ("outbound|80||orders.shop.svc.cluster.local", 1),
                ("outbound|80||orders-canary.shop.svc.cluster.local", 1),
            ],
        )
}

async fn started(mesh: &Mesh, change: impl FnOnce(Sidecar) -> Sidecar) -> Result<Envoy> {
    let sidecar = Sidecar::of("edge", mesh.upstream.address()).following(mesh.reconciler.address());
    let envoy = Envoy::start(change(routed(sidecar)), &mesh.client).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;
    Ok(envoy)
}

/// Checks that requests with each authority are faulted at these paths and no others.
async fn faulted(mesh: &Mesh, envoy: &Envoy, expected: &[(&str, &[&str])]) -> Result<()> {
    for (authority, paths) in expected {
        for path in PATHS {
            let request = Request::get(path).header("host", authority);
            let answer = mesh.client.send(envoy.address(), &request).await?;
            assert_eq!(answer.aborted(), paths.contains(&path), "{path} of {authority}");
        }
    }
    Ok(())
}

const EXPECTED: [(&str, &[&str]); 7] = [
    ("shop.example.com", &["/orders"]),
    ("SHOP.example.com:8443", &["/orders"]),
    ("legacy.shop.svc.cluster.local", &["/orders", "/legacy"]),
    ("api.partner.example:443", &["/api", "/partner"]),
    ("wild.partner.example", &["/partner"]),
    ("orders.shop.svc.evil.example", &["/evil"]),
    ("docs.example.com", &[]),
];

#[tokio::test]
async fn in_a_sidecar_and_at_a_gateway() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let (sidecar, gateway) =
        (started(&mesh, Sidecar::outbound).await?, started(&mesh, Sidecar::gateway).await?);
    for envoy in [&sidecar, &gateway] {
        faulted(&mesh, envoy, &EXPECTED).await?;
        let legacy = Request::get("/").header("host", "legacy.shop.svc.cluster.local");
        let answer = mesh.client.send(envoy.address(), &legacy).await?;
        assert_eq!(answer.seen_by_workload("host").as_deref(), Some("orders.shop"), "the route rewrites it");
    }
    Ok(())
}

#[tokio::test]
async fn to_the_share_of_a_canary() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let gateway = started(&mesh, Sidecar::gateway).await?;
    let orders = |path: &str| Request::get(path).header("host", "orders.shop.svc.cluster.local");
    let load = Load::of(orders("/canary"), 1000);
    let results = load.run(&mesh.client, &[gateway.address()]).await?;
    // One draw in 100,000 is outside.
    assert!(expected(1000, 0.5, 0.99999).contains(&results.aborted()), "{}", results.aborted());
    assert_eq!(results.aborted() + results.with_status(200), 1000);
    // Whoever calls the service means it, wherever the route leads.
    let results = Load::of(orders("/orders"), 200).run(&mesh.client, &[gateway.address()]).await?;
    assert_eq!(results.aborted(), 200);
    Ok(())
}

#[tokio::test]
async fn in_the_domain_that_the_plugin_names() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let change = |sidecar: Sidecar| sidecar.outbound().plugin("cluster_domain", "evil.example".into());
    let envoy = started(&mesh, change).await?;
    let expected: [(&str, &[&str]); 3] = [
        ("orders.shop.svc.evil.example", &["/orders", "/evil"]),
        ("shop.example.com", &[]),
        ("legacy.shop.svc.cluster.local", &[]),
    ];
    faulted(&mesh, &envoy, &expected).await
}
