//! The control plane: it starts, answers, keeps what is pushed, and may fail.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Deadline, Envoy, Load, Reconciler, Request, Source, loopback};
use serde_json::Value;

use crate::policy::Policy;
use crate::report::{Milliseconds, Report};
use crate::world::{FRONTEND, PRODUCTCATALOG, World, json, sidecars};

const ASKED: usize = 200;
/// Long enough for polls to fail and be tried again.
const OUTAGE: Duration = Duration::from_secs(3);

pub(crate) async fn play(world: &mut World, report: &mut Report) -> Result<()> {
    let ready = two_more(world).await?;
    report.time("ready", ready)?;
    report.time("deployed", ready)?;

    let client = &world.mesh.client;
    let replicas = [world.mesh.reconciler.address(), world.peer.address()];
    let healthy = Load::of(Request::get("/v1/health"), 100).run(client, &replicas).await?.with_status(200);
    report.figure("healthy", format!("{healthy} of 100"), healthy == 100)?;

    world.publish(vec![Policy::abort(FRONTEND, 100, 503)]).await?;
    let mut listing = 0;
    for replica in replicas {
        listing += usize::from(lists(&json(&world.mesh.client, replica, "/v1/policies").await?));
    }
    let measured = format!("by {listing} of 2 replicas");
    report.figure("listed", measured, listing == 2)?;
    one_fails(world, report).await?;
    both_fail(world, report).await
}

/// The time that two more replicas take until both are ready.
async fn two_more(world: &World) -> Result<Duration> {
    let start = async || {
        let source = Source::local(&world.mesh.repository.bare());
        let mut reconciler = Reconciler::start(source, loopback()).await?;
        reconciler.ready(&world.mesh.client).await
    };
    let began = Instant::now();
    tokio::try_join!(start(), start())?;
    Ok(began.elapsed())
}

fn lists(policies: &Value) -> bool {
    let listed = policies.pointer("/policies/0/metadata/name").and_then(Value::as_str);
    listed == Some(&Policy::abort(FRONTEND, 100, 503).name)
}

async fn one_fails(world: &mut World, report: &mut Report) -> Result<()> {
    world.mesh.reconciler.kill().await?;
    let load = Load::of(Request::get("/v1/policies"), ASKED);
    let served = load.run(&world.mesh.client, &[world.peer.address()]).await?.with_status(200);
    let measured = format!("{served} of {ASKED} requests");
    // More than is asked: nothing else goes on here.
    report.figure("one-killed", measured, served == ASKED)?;
    let took = world.publish(vec![Policy::abort(PRODUCTCATALOG, 100, 503)]).await?;
    let measured = format!("{} of {} after {}", sidecars(), sidecars(), Milliseconds(took));
    report.within("one-killed-push", took, measured)?;
    world.mesh.reconciler.restart().await?;
    world.mesh.reconciler.ready(&world.mesh.client).await
}

async fn both_fail(world: &mut World, report: &mut Report) -> Result<()> {
    world.mesh.reconciler.kill().await?;
    world.peer.kill().await?;
    let (began, mut targeted, mut failed, mut sent, mut touched) = (Instant::now(), 0, 0, 0, 0);
    let newcomer = Envoy::start(world.mesh.sidecar(PRODUCTCATALOG).replica(2), &world.mesh.client).await?;
    let (mut at_newcomer, mut passed) = (0, 0);
    while began.elapsed() < OUTAGE {
        let results = world.ask(PRODUCTCATALOG, ASKED).await?;
        (targeted, failed) = (targeted + results.requests(), failed + results.aborted());
        let leak = world.leak(PRODUCTCATALOG, 20).await?;
        (sent, touched) = (sent + leak.requests, touched + leak.touched);
        let results = world.ask_at(&[newcomer.address()], ASKED).await?;
        (at_newcomer, passed) = (at_newcomer + results.requests(), passed + results.with_status(200));
    }
    let measured = format!("{} of {sent} requests pass", sent - touched);
    report.figure("gone-passing", measured, touched == 0)?;
    let measured = format!("{failed} of {targeted} requests fail as before");
    report.figure("gone-failing", measured, failed == targeted)?;
    let measured = format!("{passed} of {at_newcomer} requests pass");
    report.figure("gone-newcomer", measured, passed == at_newcomer)?;

    world.mesh.reconciler.restart().await?;
    world.peer.restart().await?;
    let back = Instant::now();
    let deadline = Deadline::of("the newcomer to inject", Duration::from_secs(60));
    while world.ask_at(&[newcomer.address()], 1).await?.aborted() == 0 {
        deadline.pause().await?;
    }
    report.time("back", back.elapsed())?;
    world.followed().await?;
    Ok(())
}
