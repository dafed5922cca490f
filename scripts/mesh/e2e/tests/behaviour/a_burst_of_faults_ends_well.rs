use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Answer, Client, Deadline, Envoy, Mesh, Request, everywhere};
use tokio::task::JoinSet;

const POLICY: &str = r#"
metadata: {name: burst}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 418}}}
    - match: {path: {exact: /abort}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 3000}, abort: {httpStatus: 418}}
    - {match: {path: {exact: /delay}}, fault: {percentage: 100, delay: {fixed_delay_ms: 3000}}}
"#;

const DELAY: Duration = Duration::from_secs(3);
/// Of either kind; together less than a worker holds.
const REQUESTS: u64 = 400;

/// The host does what a filter asks for when the call of the filter is over. Were the filter
/// called for the end of each stream too, each reply would wait for the next one to be done inside of
/// that call; and the stack has no room for some three hundred of that.
#[tokio::test]
async fn when_all_are_due_at_the_same_time() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    let envoy = Envoy::start(mesh.sidecar("frontend").concurrency(1), &mesh.client).await?;
    mesh.publish("burst.yaml", POLICY).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    let mut held = JoinSet::new();
    for path in ["/abort", "/delay"] {
        let client = Client::new()?;
        for _ in 0..REQUESTS {
            let (client, address) = (client.clone(), envoy.address());
            held.spawn(async move { anyhow::Ok((path, client.send(address, &Request::get(path)).await?)) });
        }
    }
    let deadline = Deadline::of("the proxy to hold all requests", DELAY);
    while envoy.stat("hfi.faults.active").await? != 2 * REQUESTS {
        deadline.pause().await?;
    }
    envoy.freeze()?;
    tokio::time::sleep(DELAY).await;
    envoy.thaw()?;
    while let Some(answered) = held.join_next().await {
        let (path, answer) = answered??;
        let as_wanted = match path {
            "/abort" => answer.status == 418 && answer.aborted(),
            _ => answer.status == 200 && answer.delayed(),
        };
        ensure!(as_wanted, "{path}: {answer:?}; {}", envoy.log()?);
    }
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await
}
