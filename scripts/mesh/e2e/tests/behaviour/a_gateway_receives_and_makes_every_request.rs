use anyhow::Result;
use harness::{Answer, Envoy, Mesh, Request, Sidecar, everywhere};

/// Each path is that of one policy.
const POLICIES: &str = r#"
metadata: {name: inbound}
spec:
  selector: {service: ingress, namespace: demo}
  rules:
    - {match: {path: {exact: /inbound}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: outbound}
spec:
  selector: {service: ingress, namespace: demo}
  direction: outbound
  rules:
    - {match: {path: {exact: /outbound}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn whatever_its_listener_is() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let ingress = Sidecar::of("ingress", mesh.upstream.address()).following(mesh.reconciler.address());
    let gateway = Envoy::start(ingress.clone().gateway(), &mesh.client).await?;
    let sidecar = Envoy::start(ingress.outbound(), &mesh.client).await?;

    for (envoy, path) in [(&gateway, "/inbound"), (&gateway, "/outbound"), (&sidecar, "/outbound")] {
        everywhere(envoy.address(), &Request::get(path), Answer::aborted).await?;
    }
    everywhere(sidecar.address(), &Request::get("/inbound"), |answer| answer.status == 200).await?;
    Ok(())
}
