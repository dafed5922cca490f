//! Nobody but the VM that holds a request can let it go, and Envoy lets one rest for as long as its
//! idle time-out, which a mesh switches off. So these wait until their clients have enough.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Answer, Client, Deadline, Envoy, Mesh, Request, everywhere};
use tokio::task::JoinSet;

use crate::fragile::{fragile, trap};

const POLICY: &str = r#"
metadata: {name: slow}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 418}}}
    - match: {path: {exact: /abort}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 500}, abort: {httpStatus: 418}}
    - {match: {path: {exact: /delay}}, fault: {percentage: 100, delay: {fixed_delay_ms: 500}}}
"#;

#[tokio::test]
async fn until_their_clients_leave() -> Result<()> {
    they_wait("FAIL_OPEN").await
}

#[tokio::test]
async fn also_when_another_one_takes_its_place() -> Result<()> {
    they_wait("FAIL_RELOAD").await
}

async fn they_wait(failure_policy: &'static str) -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    let envoy = Envoy::start(fragile(&mesh, 1)?.failing(failure_policy), &mesh.client).await?;
    mesh.publish("slow.yaml", POLICY).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    let mut held = JoinSet::new();
    for client in [Client::new()?, Client::http2()?] {
        for path in ["/delay", "/abort"] {
            let (client, address) = (client.clone(), envoy.address());
            held.spawn(async move { client.send(address, &Request::get(path)).await });
        }
    }
    becomes(&envoy, "hfi.faults.active", 4).await?;
    trap(&mesh.client, &envoy).await?;
    if failure_policy == "FAIL_RELOAD" {
        let reloaded = |answer: &Answer| answer.aborted();
        everywhere(envoy.address(), &Request::get("/settled"), reloaded).await?;
    }
    let reached = mesh.upstream.requests();
    let ended = tokio::time::timeout(Duration::from_secs(2), held.join_next()).await;
    ensure!(ended.is_err(), "one has ended: {ended:?}");

    held.shutdown().await;
    becomes(&envoy, "inbound_0.0.0.0_8080.downstream_rq_active", 0).await?;
    ensure!(mesh.upstream.requests() == reached, "one has reached the workload");
    // What other requests get is not their concern.
    let answer = mesh.client.send(envoy.address(), &Request::get("/")).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

async fn becomes(envoy: &Envoy, stat: &str, wanted: u64) -> Result<()> {
    let deadline = Deadline::of("a stat to be as wanted", Duration::from_secs(10));
    while envoy.stat(stat).await? != wanted {
        deadline.pause().await?;
    }
    Ok(())
}
