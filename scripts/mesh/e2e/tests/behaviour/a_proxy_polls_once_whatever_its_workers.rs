use std::time::Instant;

use anyhow::Result;
use harness::{
    Behaviour, Client, ControlPlane, Envoy, Poll, Request, Sidecar, Snapshot, Upstream, everywhere,
};
use tokio::task::JoinSet;

use crate::policies::policy;
use crate::scripted::{Scripted, aborting};

#[tokio::test]
async fn also_when_policies_change() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let snapshots = [aborting(501)?, aborting(502)?];
    let [first, second] = snapshots.clone();
    let control_plane = ControlPlane::start(Behaviour::Serve(first)).await?;
    let mut starting = JoinSet::new();
    for (replica, concurrency) in [(1, 1), (2, 2), (3, 4)] {
        let sidecar = Sidecar::of("frontend", upstream.address()).following(control_plane.address());
        let sidecar = sidecar.plugin("poll_wait_seconds", 1.into()).replica(replica).concurrency(concurrency);
        let client = client.clone();
        starting.spawn(async move { Envoy::start(sidecar, &client).await });
    }
    let envoys: Vec<Envoy> = starting.join_all().await.into_iter().collect::<Result<_>>()?;
    let everywhere_is = async |status: u16| {
        for envoy in &envoys {
            everywhere(envoy.address(), &Request::get("/"), |answer| answer.status == status).await?;
        }
        anyhow::Ok(())
    };

    everywhere_is(501).await?;
    three_more_each(&control_plane, &envoys).await?;
    control_plane.becomes(Behaviour::Serve(second));
    everywhere_is(502).await?;
    three_more_each(&control_plane, &envoys).await?;

    never_two_at_once(&control_plane.polls());
    for envoy in &envoys {
        assert_eq!(envoy.stat("hfi.sync.updates_total").await?, 2, "{}", envoy.node_id());
        assert_eq!(envoy.stat("hfi.sync.failures_total").await?, 0, "{}", envoy.node_id());
        let log = envoy.log()?;
        for snapshot in &snapshots {
            let etag = snapshot.etag();
            let told = format!("Received config update from control plane: {}", etag.trim_matches('"'));
            assert_eq!(log.matches(&told).count(), 1, "{log}");
        }
    }
    Ok(())
}

/// As the two `WasmPlugin`s of a sidecar do, one for what it receives and one for what it calls.
#[tokio::test]
async fn and_whatever_its_plugins_if_they_ask_the_same() -> Result<()> {
    let fault = |status| format!("percentage: 100, abort: {{httpStatus: {status}}}");
    let inbound = policy("inbound", "frontend", &fault(501));
    let outbound =
        policy("outbound", "frontend", &fault(502)).replace("rules", "direction: outbound\n  rules");
    let snapshot = Snapshot::of(&format!("{inbound}---\n{outbound}"))?;
    let scripted = Scripted::with(Behaviour::Serve(snapshot), Sidecar::both_ways).await?;

    scripted.answers(501).await?;
    let calls = scripted.envoy.outbound().await?;
    everywhere(calls, &Request::get("/"), |answer| answer.status == 502).await?;
    three_more_each(&scripted.control_plane, std::slice::from_ref(&scripted.envoy)).await?;
    never_two_at_once(&scripted.control_plane.polls());
    Ok(())
}

async fn three_more_each(control_plane: &ControlPlane, envoys: &[Envoy]) -> Result<()> {
    let since = Instant::now();
    let three = |polls: &[Poll]| {
        envoys.iter().all(|envoy| {
            let of_node = polls.iter().filter(|poll| poll.node == envoy.node_id());
            of_node.filter(|poll| poll.began > since && poll.ended.is_some()).count() >= 3
        })
    };
    control_plane.polled("three more polls of each proxy", three).await?;
    Ok(())
}

fn never_two_at_once(polls: &[Poll]) {
    let crowd = polls.iter().max_by_key(|poll| poll.open);
    assert!(crowd.is_some_and(|poll| poll.open == 1), "the most at once: {crowd:#?}");
}
