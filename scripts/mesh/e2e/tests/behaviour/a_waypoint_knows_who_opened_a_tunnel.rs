//! TLS ends before the listener with the filter there, so no certificate is to be seen in it.

use anyhow::{Context, Result};
use harness::{Answer, Client, Envoy, Mesh, Request, Sidecar, everywhere};

const CHAINS: [&str; 2] =
    ["inbound-vip|80|http|orders.demo.svc.cluster.local", "inbound-vip|80|http|cart.demo.svc.cluster.local"];

const POLICIES: &str = r#"
metadata: {name: from-web}
spec:
  selector: {service: orders, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - match: {path: {exact: /account}, source: {namespace: shop, serviceAccount: web}}
      fault: {percentage: 100, abort: {httpStatus: 501}}
    - match: {path: {exact: /namespace}, source: {namespace: shop}}
      fault: {percentage: 100, abort: {httpStatus: 502}}
    - match: {path: {exact: /anybody}, source: {namespace: "*"}}
      fault: {percentage: 100, abort: {httpStatus: 504}}
"#;

/// By name: the names in its certificate, and the paths at which it is to be aborted.
const CALLERS: [(&str, &str, &[&str]); 6] = [
    ("web", "URI:spiffe://cluster.local/ns/shop/sa/web", &["/account", "/namespace", "/anybody"]),
    ("batch", "URI:spiffe://cluster.local/ns/shop/sa/batch", &["/namespace", "/anybody"]),
    ("other", "URI:spiffe://cluster.local/ns/demo/sa/web", &["/anybody"]),
    // The authority vouches for these too, but not as somebody of the mesh.
    ("stranger", "DNS:web.shop.example", &[]),
    ("foreign", "URI:https://cluster.local/ns/shop/sa/web", &[]),
    ("both", "URI:spiffe://cluster.local/ns/shop/sa/web,URI:spiffe://cluster.local/ns/shop/sa/batch", &[]),
];

#[tokio::test]
async fn by_the_certificate_of_the_tunnel() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let mut waypoint = Sidecar::of("waypoint", mesh.upstream.address()).waypoint(&CHAINS);
    for (name, names, _) in CALLERS {
        waypoint = waypoint.called_by(name, names);
    }
    let envoy = Envoy::start(waypoint.following(mesh.reconciler.address()), &mesh.client).await?;
    let settled = everywhere(envoy.tunnel("web", 0).await?, &Request::get("/settled"), Answer::aborted).await;
    settled.with_context(|| envoy.log().unwrap_or_default())?;

    for (caller, _, expected) in CALLERS {
        let (orders, cart) = (envoy.tunnel(caller, 0).await?, envoy.tunnel(caller, 1).await?);
        for client in [Client::new()?, Client::http2()?] {
            for path in ["/account", "/namespace", "/anybody"] {
                // What a caller says of itself changes nothing.
                let web = "spiffe://cluster.local/ns/shop/sa/web";
                let pretending = Request::get(path)
                    .header("x-forwarded-client-cert", &format!("By=x;Hash=0;URI={web}"))
                    .header("io.istio.peer_principal", web);
                for request in [Request::get(path), pretending] {
                    let answer = client.send(orders, &request).await?;
                    assert_eq!(
                        answer.aborted(),
                        expected.contains(&path),
                        "{caller}: {request:?}: {answer:?}"
                    );
                    let answer = client.send(cart, &request).await?;
                    assert_eq!(answer.status, 200, "{caller}: {request:?}: at another service");
                }
            }
        }
    }
    Ok(())
}

/// Without a tunnel nobody has shown who calls.
#[tokio::test]
async fn and_nobody_without_one() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let waypoint = Sidecar::of("waypoint", mesh.upstream.address()).waypoint(&CHAINS);
    let envoy = Envoy::start(waypoint.following(mesh.reconciler.address()), &mesh.client).await?;
    everywhere(envoy.chain(0), &Request::get("/settled"), Answer::aborted).await?;
    for path in ["/account", "/namespace", "/anybody"] {
        let answer = mesh.client.send(envoy.chain(0), &Request::get(path)).await?;
        assert_eq!(answer.status, 200, "{path}");
    }
    Ok(())
}
