//! The time until a push, or a removal, shows in a proxy. The peer is the push itself: nothing that
//! is kept in Git can take effect sooner than that.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Answer, Mesh, Request, first};

use crate::median;

const ROUNDS: usize = 21;
/// Between pushes, so that each finds the proxy's poll held as it is when pushes are rare.
const REST: Duration = Duration::from_millis(500);
const FILE: &str = "errors.yaml";
const POLICY: &str = "
metadata: {name: errors}
spec:
  selector: {service: frontend, namespace: demo}
  rules: [{fault: {percentage: 100, abort: {httpStatus: 503}}}]
";

pub(crate) async fn run() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let address = *mesh.addresses("frontend").first().context("no proxy")?;
    let request = Request::get("/");
    let since = |then: Instant, now: Instant| now.saturating_duration_since(then);
    let (mut pushes, mut first_faults, mut last_faults) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        tokio::time::sleep(REST).await;
        let push = mesh.publish(FILE, POLICY).await?;
        let faulted = first(&mesh.client, address, &request, Answer::aborted).await?;
        pushes.push(since(push.began, push.returned));
        first_faults.push(since(push.began, faulted));

        tokio::time::sleep(REST).await;
        let removal = mesh.retract(FILE).await?;
        let healthy = first(&mesh.client, address, &request, |answer| !answer.aborted()).await?;
        pushes.push(since(removal.began, removal.returned));
        last_faults.push(since(removal.began, healthy));
    }
    let push = median(pushes);
    println!("medians of {ROUNDS} rounds, from the start of `git push` to a local repository\n");
    println!("{:<36}{:>10}{:>24}", "", "ms", "times `git push` alone");
    for (what, times) in
        [("the first fault", first_faults), ("the first request without a fault", last_faults)]
    {
        let time = median(times);
        let ratio = time.as_secs_f64() / push.as_secs_f64();
        println!("{what:<36}{:>10.1}{ratio:>24.2}", millis(time));
    }
    println!("{:<36}{:>10.1}{:>24.2}", "git push alone", millis(push), 1.0);
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
