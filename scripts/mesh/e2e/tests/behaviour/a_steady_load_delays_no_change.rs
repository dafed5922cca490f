use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Behaviour, Client, Deadline, Request, Snapshot};
use tokio::task::JoinSet;

use crate::scripted::{Scripted, aborting};

const POLICY: &str = r#"
metadata: {name: slow}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /slow}}, fault: {percentage: 100, delay: {fixed_delay_ms: 10000}}}
    - {fault: {percentage: 100, abort: {httpStatus: 418}}}
"#;

/// Enough for each of two workers to have some, but for one case in a hundred.
const CONNECTIONS: u32 = 8;
/// On one connection. All that is held in ten seconds is less than what may be.
const BETWEEN: Duration = Duration::from_millis(80);

/// Every request that is held sets the one timer that its worker has, by which it also looks for what
/// is new. A worker that polls itself is told sooner: so there are two. Nothing of what is held here
/// is due before the test is over.
#[tokio::test]
async fn of_requests_that_are_all_held() -> Result<()> {
    tokio::try_join!(
        under_load_follows("nothing", Snapshot::of("")?, 200),
        under_load_follows("another policy", aborting(501)?, 501),
    )?;
    Ok(())
}

async fn under_load_follows(name: &str, change: Snapshot, status: u16) -> Result<()> {
    let scripted = Scripted::with(Behaviour::Serve(Snapshot::of(POLICY)?), |sidecar| {
        sidecar.concurrency(2).plugin("poll_wait_seconds", 30.into())
    })
    .await?;
    scripted.answers(418).await?;
    let load = scripted.hold_more_and_more()?;
    let deadline = Deadline::of("many requests to be held", Duration::from_secs(5));
    while scripted.envoy.stat("hfi.faults.active").await? < 50 {
        deadline.pause().await?;
    }

    let since = Instant::now();
    scripted.control_plane.becomes(Behaviour::Serve(change));
    scripted.answers(status).await?;
    println!("{name} was in force after {:?}", since.elapsed());
    assert!(since.elapsed() < Duration::from_secs(3), "{name}: {:?}", since.elapsed());
    drop(load);
    Ok(())
}

impl Scripted {
    /// Goes on until what it returns is dropped.
    fn hold_more_and_more(&self) -> Result<JoinSet<()>> {
        let mut load = JoinSet::new();
        for number in 0..CONNECTIONS {
            let (client, address) = (Client::http2()?, self.envoy.address());
            load.spawn(async move {
                let mut held = JoinSet::new();
                tokio::time::sleep(BETWEEN * number / CONNECTIONS).await;
                loop {
                    let client = client.clone();
                    held.spawn(async move { client.send(address, &Request::get("/slow")).await });
                    tokio::time::sleep(BETWEEN).await;
                }
            });
        }
        Ok(load)
    }
}
