use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Answer, Behaviour, Client, Deadline, Envoy, Request, Sidecar, Snapshot};
use tokio::task::JoinSet;

use crate::scripted::Scripted;

const POLICY: &str = r#"
metadata: {name: slow}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /slow}}, fault: {percentage: 100, delay: {fixed_delay_ms: 30000}}}
    - {fault: {percentage: 100, abort: {httpStatus: 418}}}
"#;

const DELAY: Duration = Duration::from_secs(30);

/// The host tells the filter of no end: neither of a request, nor of a listener that it held it for.
#[tokio::test]
async fn once_it_has_drained() -> Result<()> {
    let mut scripted =
        Scripted::with(Behaviour::Serve(Snapshot::of(POLICY)?), Sidecar::reconfigurable).await?;
    scripted.answers(418).await?;
    let began = Instant::now();
    let mut held = scripted.hold(7)?;
    active_is(&scripted.envoy, 7).await?;

    scripted.envoy.reconfigure(scripted.sidecar.clone().plugin("poll_wait_seconds", 2.into()))?;
    // Nobody answers them: their connections are closed.
    while let Some(ended) = held.join_next().await {
        let answer = ended?;
        assert!(answer.is_err(), "{answer:?}");
    }
    active_is(&scripted.envoy, 0).await?;
    assert!(began.elapsed() < DELAY, "only when they were due, after {:?}", began.elapsed());

    // And the new one counts from there.
    scripted.answers(418).await?;
    let held = scripted.hold(3)?;
    active_is(&scripted.envoy, 3).await?;
    drop(held);
    active_is(&scripted.envoy, 0).await
}

impl Scripted {
    fn hold(&self, requests: usize) -> Result<JoinSet<Result<Answer>>> {
        let (client, address) = (Client::new()?, self.envoy.address());
        let mut held = JoinSet::new();
        for _ in 0..requests {
            let client = client.clone();
            held.spawn(async move { client.send(address, &Request::get("/slow")).await });
        }
        Ok(held)
    }
}

async fn active_is(envoy: &Envoy, requests: u64) -> Result<()> {
    let deadline = Deadline::of("the proxy to hold so many requests", Duration::from_secs(6));
    loop {
        let active = envoy.stat("hfi.faults.active").await?;
        if active == requests {
            return Ok(());
        }
        deadline.pause().await.with_context(|| format!("it holds {active}, not {requests}"))?;
    }
}
