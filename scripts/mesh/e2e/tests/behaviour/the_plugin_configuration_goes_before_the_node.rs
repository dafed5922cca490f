use anyhow::Result;
use harness::{Answer, Envoy, Mesh, Request, Sidecar, everywhere};

/// Each path is that of one policy.
const POLICIES: &str = r#"
metadata: {name: for-the-node}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /node}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-the-configuration}
spec:
  selector: {service: checkout, namespace: shop}
  rules:
    - {match: {path: {exact: /configuration}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn where_it_names_a_workload() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let sidecar = Sidecar::of("frontend", mesh.upstream.address()).following(mesh.reconciler.address());
    let told = sidecar.plugin("service", "checkout".into()).plugin("namespace", "shop".into());
    // It wins over metadata, and does without.
    for sidecar in [told.clone(), told.without_identity()] {
        let envoy = Envoy::start(sidecar, &mesh.client).await?;
        everywhere(envoy.address(), &Request::get("/configuration"), Answer::aborted).await?;
        everywhere(envoy.address(), &Request::get("/node"), |answer| answer.status == 200).await?;
        assert!(envoy.warnings()?.is_empty(), "{:?}", envoy.warnings()?);
    }
    Ok(())
}
