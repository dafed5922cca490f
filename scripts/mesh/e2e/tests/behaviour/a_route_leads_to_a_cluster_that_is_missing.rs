use anyhow::Result;
use harness::{Answer, Envoy, Mesh, Request, Sidecar, everywhere};

const POLICIES: &str = r#"
metadata: {name: to-what-is-gone}
spec:
  direction: outbound
  destination: {service: gone, namespace: shop}
  rules:
    - {match: {path: {exact: /broken}}, fault: {percentage: 100, abort: {httpStatus: 418}}}
    - {match: {path: {exact: /slow}}, fault: {percentage: 100, delay_ms: 50}}
---
metadata: {name: settled}
spec:
  direction: outbound
  rules: [{match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
"#;

/// As Istio leaves it where a VirtualService names a subset that no DestinationRule has.
#[tokio::test]
async fn and_is_faulted_as_its_name_says_or_answered_by_envoy() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let cluster = "outbound|80|v7|gone.shop.svc.cluster.local";
    let edge = Sidecar::of("edge", mesh.upstream.address()).following(mesh.reconciler.address());
    let edge = edge.outbound().routing("gone.shop", cluster).lacking(cluster);
    let envoy = Envoy::start(edge, &mesh.client).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    let ask = async |path: &str, host: &str| {
        mesh.client.send(envoy.address(), &Request::get(path).header("host", host)).await
    };
    for _ in 0..20 {
        let broken = ask("/broken", "gone.shop").await?;
        assert!(broken.aborted() && broken.status == 418, "{broken:?}");
        // Both faults and Envoy's own answer, again and again.
        for path in ["/slow", "/other"] {
            let answer = ask(path, "gone.shop").await?;
            assert!(!answer.aborted() && answer.status == 503, "{path}: {answer:?}");
        }
        assert_eq!(ask("/broken", "edge").await?.status, 200, "the destination is another one");
    }
    assert_eq!(envoy.stat("hfi.faults.delays_total").await?, 20);
    assert_eq!(envoy.warnings()?, Vec::<String>::new());
    Ok(())
}
