use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Behaviour, Client, ControlPlane, Envoy, Sidecar, Upstream};

use crate::scripted::aborting;

/// That many at random in a second are all within a tenth of it in one case in twenty thousand.
const STARTS: usize = 6;

/// So that ten thousand proxies which start at once do not ask at once.
#[tokio::test]
async fn over_the_second_after_the_start() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let control_plane = ControlPlane::start(Behaviour::Serve(aborting(501)?)).await?;
    let sidecar = Sidecar::of("frontend", upstream.address()).following(control_plane.address());
    let mut delays = Vec::new();
    for replica in 1..=STARTS {
        // The last one is gone: one at a time, so that they do not delay each other.
        let sidecar = sidecar.clone().concurrency(1).replica(replica);
        let envoy = Envoy::start(sidecar, &client).await?;
        let started = Instant::now();
        let polls = control_plane
            .polled("a first poll", |polls| polls.iter().any(|poll| poll.node == envoy.node_id()))
            .await?;
        let poll = polls.iter().find(|poll| poll.node == envoy.node_id()).context("it was there")?;
        delays.push(poll.began.saturating_duration_since(started));
    }
    delays.sort_unstable();
    println!("from the start to the first poll: {delays:?}");
    assert!(delays[STARTS - 1] - delays[0] > Duration::from_millis(100), "{delays:?}");
    // A second, and what a busy machine adds.
    assert!(delays[STARTS - 1] < Duration::from_secs(2), "{delays:?}");
    Ok(())
}
