use anyhow::Result;
use harness::{Answer, Load, Mesh, Request, expected};

/// `/settled` is always faulted: it tells when the policy is in force.
const SHARES: &str = r#"
metadata: {name: shares}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /third}}, fault: {percentage: 33.3333, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /share}}, fault: {percentage: 30, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /rare}}, fault: {percentage: 0.5, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn and_after_one_of_them_restarts() -> Result<()> {
    let mut mesh = Mesh::start(&[("frontend", 3)]).await?;
    mesh.publish("shares.yaml", SHARES).await?;
    mesh.everywhere("frontend", &Request::get("/settled"), Answer::aborted).await?;
    share_is(&mesh, "/third", 3000, 0.333333).await?;
    share_is(&mesh, "/rare", 3000, 0.005).await?;
    share_is(&mesh, "/share", 12_000, 0.3).await?;

    mesh.envoy_mut("frontend")?.restart().await?;
    mesh.everywhere("frontend", &Request::get("/settled"), Answer::aborted).await?;
    share_is(&mesh, "/share", 12_000, 0.3).await
}

/// One draw in a thousand is outside the bound by chance; two draws in a row are not.
async fn share_is(mesh: &Mesh, path: &str, requests: usize, probability: f64) -> Result<()> {
    let load = Load::of(Request::get(path), requests);
    let bound = expected(requests, probability, 0.999);
    let mut draws = Vec::new();
    for _ in 0..2 {
        let results = load.run(&mesh.client, &mesh.addresses("frontend")).await?;
        assert_eq!(results.aborted() + results.with_status(200), requests);
        draws.push(results.aborted());
        if bound.contains(&results.aborted()) {
            return Ok(());
        }
    }
    anyhow::bail!("{draws:?} of {requests} requests for {path} were faulted, not {bound:?}")
}
