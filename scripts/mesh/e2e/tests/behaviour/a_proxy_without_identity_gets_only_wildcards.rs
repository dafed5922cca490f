use anyhow::Result;
use harness::{Answer, Envoy, Mesh, Request, Sidecar, everywhere};

const POLICIES: &str = r#"
metadata: {name: for-one-service}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /named}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-a-namespace}
spec:
  selector: {namespace: demo}
  rules:
    - {match: {path: {exact: /namespace}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: for-everything}
spec:
  rules:
    - {match: {path: {exact: /everything}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn and_one_with_identity_gets_its_own_too() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let nameless = Sidecar::of("frontend", mesh.upstream.address()).without_identity();
    let nameless = nameless.replica(2).concurrency(4).following(mesh.reconciler.address());
    let nameless = Envoy::start(nameless, &mesh.client).await?;
    mesh.publish("policies.yaml", POLICIES).await?;

    for path in ["/named", "/namespace", "/everything"] {
        mesh.everywhere("frontend", &Request::get(path), Answer::aborted).await?;
    }
    everywhere(nameless.address(), &Request::get("/everything"), Answer::aborted).await?;
    for path in ["/named", "/namespace"] {
        let passes = |answer: &Answer| answer.status == 200;
        everywhere(nameless.address(), &Request::get(path), passes).await?;
    }
    // It is one warning for the proxy, whatever its workers.
    let warnings = nameless.warnings()?;
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    Ok(())
}
