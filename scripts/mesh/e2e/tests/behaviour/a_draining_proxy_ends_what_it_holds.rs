use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Answer, Client, Deadline, Envoy, Mesh, Request, everywhere};
use tokio::task::JoinSet;

const POLICY: &str = r#"
metadata: {name: slow}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - match: {path: {exact: /abort}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 1500}, abort: {httpStatus: 504}}
    - {fault: {percentage: 100, delay: {fixed_delay_ms: 1500}}}
"#;

const DELAY: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn when_its_listeners_drain_gracefully() -> Result<()> {
    let bed = TestBed::start().await?;
    let held = bed.hold().await?;
    bed.envoy.tell("/drain_listeners?graceful").await?;
    end_well(held).await
}

#[tokio::test]
async fn when_its_listeners_close_at_once() -> Result<()> {
    let bed = TestBed::start().await?;
    let held = bed.hold().await?;
    bed.envoy.tell("/drain_listeners").await?;
    let deadline = Deadline::of("the listener to close", DELAY);
    while Client::new()?.send(bed.envoy.address(), &Request::get("/settled")).await.is_ok() {
        deadline.pause().await?;
    }
    end_well(held).await
}

/// Envoy does not wait for requests then, with or without the filter; but it must not crash.
#[tokio::test]
async fn but_when_it_is_asked_to_end_it_ends() -> Result<()> {
    let mut bed = TestBed::start().await?;
    let mut held = bed.hold().await?;
    let asked = Instant::now();
    let status = bed.envoy.terminate().await?;
    ensure!(status.success(), "{status}: {}", bed.envoy.log()?);
    assert!(asked.elapsed() < DELAY, "it took {:?}", asked.elapsed());
    while let Some(answer) = held.join_next().await {
        assert!(answer?.is_err(), "a request outlived its proxy");
    }
    Ok(())
}

struct TestBed {
    envoy: Envoy,
    _mesh: Mesh,
}

impl TestBed {
    async fn start() -> Result<Self> {
        let mesh = Mesh::start(&[]).await?;
        let envoy = Envoy::start(mesh.sidecar("frontend"), &mesh.client).await?;
        mesh.publish("slow.yaml", POLICY).await?;
        everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;
        Ok(Self { envoy, _mesh: mesh })
    }

    /// Requests that the proxy holds: over HTTP/1 and HTTP/2, to be let go and to be answered.
    async fn hold(&self) -> Result<JoinSet<Result<(&'static str, Answer)>>> {
        let mut held = JoinSet::new();
        for client in [Client::new()?, Client::http2()?] {
            for path in ["/delay", "/abort"].into_iter().cycle().take(20) {
                let (client, address) = (client.clone(), self.envoy.address());
                held.spawn(async move { Ok((path, client.send(address, &Request::get(path)).await?)) });
            }
        }
        let deadline = Deadline::of("the proxy to hold all requests", Duration::from_secs(10));
        while self.envoy.stat("hfi.faults.active").await? != 40 {
            deadline.pause().await?;
        }
        Ok(held)
    }
}

async fn end_well(mut held: JoinSet<Result<(&'static str, Answer)>>) -> Result<()> {
    while let Some(answer) = held.join_next().await {
        let (path, answer) = answer??;
        assert!(answer.took >= DELAY, "{path}: {answer:?}");
        match path {
            "/abort" => assert!(answer.status == 504 && answer.aborted(), "{answer:?}"),
            _ => assert!(answer.status == 200 && answer.delayed(), "{answer:?}"),
        }
    }
    Ok(())
}
