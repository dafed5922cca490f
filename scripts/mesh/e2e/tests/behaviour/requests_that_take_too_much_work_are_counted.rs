use anyhow::Result;
use harness::{Answer, Envoy, Mesh, Request, Sidecar, everywhere};

/// A thousand regexes may read a value of a thousand bytes each, and no more.
#[tokio::test]
async fn and_get_no_fault() -> Result<()> {
    let regex = "{match: {path: {regex: 'b$'}}, fault: {percentage: 100, abort: {httpStatus: 503}}}, ";
    let rules = regex.repeat(1_000) + "{fault: {percentage: 100, abort: {httpStatus: 503}}}";
    let mesh = Mesh::start(&[]).await?;
    let policy = format!("metadata: {{name: a}}\nspec: {{selector: {{service: edge}}, rules: [{rules}]}}\n");
    mesh.publish("policies.yaml", &policy).await?;
    let edge = Sidecar::of("edge", mesh.upstream.address()).following(mesh.reconciler.address());
    let envoy = Envoy::start(edge, &mesh.client).await?;
    everywhere(envoy.address(), &Request::get("/"), Answer::aborted).await?;

    for (length, is_aborted, counted) in [(500, true, 0), (1_500, false, 1), (500, true, 1)] {
        let path = format!("/{}", "a".repeat(length));
        let answer = mesh.client.send(envoy.address(), &Request::get(&path)).await?;
        assert_eq!(answer.aborted(), is_aborted, "{length}");
        assert_eq!(envoy.stat("hfi.faults.undecided_total").await?, counted, "{length}");
    }
    Ok(())
}
