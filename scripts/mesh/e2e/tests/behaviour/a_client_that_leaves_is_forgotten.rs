use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Answer, Client, Deadline, Envoy, Mesh, Request};
use tokio::task::JoinSet;

use crate::policies::policy;

const DELAY: Duration = Duration::from_secs(3);

#[tokio::test]
async fn at_once_and_its_request_reaches_nobody() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let slow = policy("slow", "frontend", "percentage: 100, delay: {fixed_delay_ms: 3000}");
    let late = policy("late", "frontend", "percentage: 100, start_delay_ms: 3000, abort: {httpStatus: 503}")
        .replace("- fault", "- match: {path: {exact: /late}}\n      fault");
    mesh.repository.write("late.yaml", &late)?;
    mesh.publish("slow.yaml", &slow).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::delayed).await?;
    let envoy = mesh.envoys("frontend").next().context("no replica")?;
    let reached = mesh.upstream.requests();

    let began = Instant::now();
    let mut leaving = JoinSet::new();
    for client in [Client::new()?, Client::http2()?] {
        for path in ["/", "/late"].into_iter().cycle().take(20) {
            let (client, address, request) = (client.clone(), envoy.address(), Request::get(path));
            leaving.spawn(async move { client.send(address, &request).await });
        }
    }
    holds(envoy, 40).await?;
    leaving.shutdown().await;
    holds(envoy, 0).await?;
    assert!(began.elapsed() < DELAY, "forgotten only after {:?}", began.elapsed());

    // When this one is through, the others would have been.
    let answer = mesh.client.send(envoy.address(), &Request::get("/")).await?;
    assert!(answer.delayed(), "{answer:?}");
    assert_eq!(mesh.upstream.requests(), reached + 1);
    holds(envoy, 0).await
}

async fn holds(envoy: &Envoy, requests: u64) -> Result<()> {
    let deadline = Deadline::of("the proxy to hold so many requests", Duration::from_secs(10));
    while envoy.stat("hfi.faults.active").await? != requests {
        deadline.pause().await?;
    }
    Ok(())
}
