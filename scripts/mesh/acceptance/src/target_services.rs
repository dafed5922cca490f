//! A policy hits the services that it selects, and no other.

use anyhow::Result;
use futures_util::future::try_join_all;
use harness::{Envoy, Expectation, Request, everywhere};

use crate::policy::{PROBE, Policy};
use crate::report::Report;
use crate::world::{FRONTEND, PRODUCTCATALOG, World, services};

const ASKED: usize = 200;

pub(crate) async fn play(world: &mut World, report: &mut Report) -> Result<()> {
    world.publish(vec![Policy::abort(FRONTEND, 100, 503)]).await?;
    let hit = world.ask(FRONTEND, ASKED).await?;
    let measured = format!("{} of {ASKED} requests fail", hit.aborted());
    report.figure("targeted", measured, hit.aborted() == ASKED)?;
    let spared = world.ask(PRODUCTCATALOG, ASKED).await?;
    let measured = format!("{} of {ASKED} requests pass", spared.with_status(200));
    report.figure("spared", measured, Expectation::Untouched.holds(&spared))?;
    let leak = world.leak(FRONTEND, ASKED).await?;
    let measured = format!("{} of {} requests to 9 others", leak.touched, leak.requests);
    report.figure("leak", measured, leak.touched == 0)?;

    wildcards(world, report).await?;
    all_at_once(world, report).await
}

async fn wildcards(world: &mut World, report: &mut Report) -> Result<()> {
    let elsewhere = world.mesh.sidecar(FRONTEND).replica(4).metadata("NAMESPACE", "shop".into());
    let elsewhere = Envoy::start(elsewhere, &world.mesh.client).await?;
    world.publish(vec![Policy::abort("*", 100, 503).in_every_namespace()]).await?;
    everywhere(elsewhere.address(), &Request::get(PROBE), |answer| answer.aborted()).await?;
    let (mut failing, mut asked) = (world.ask_at(&[elsewhere.address()], ASKED).await?.aborted(), ASKED);
    for service in services() {
        failing += world.ask(service, ASKED).await?.aborted();
        asked += ASKED;
    }
    let measured = format!("{failing} of {asked} requests fail");
    report.figure("every-service", measured, failing == asked)?;

    // Of another status: what is in force is seen to have changed.
    world.publish(vec![Policy::abort("*", 100, 502)]).await?;
    everywhere(elsewhere.address(), &Request::get(PROBE), |answer| !answer.aborted()).await?;
    let (mut failing, mut asked) = (0, 0);
    for service in services() {
        failing += world.ask(service, ASKED).await?.with_status(502);
        asked += ASKED;
    }
    let passing = world.ask_at(&[elsewhere.address()], ASKED).await?.with_status(200);
    let measured = format!("{failing} of {asked} fail; {passing} of {ASKED} in shop pass");
    let holds = failing == asked && passing == ASKED;
    report.figure("one-namespace", measured, holds)
}

/// Each service with a policy of its own, told apart by the status.
async fn all_at_once(world: &mut World, report: &mut Report) -> Result<()> {
    let statuses: Vec<_> = services().zip(520..).collect();
    let policies = statuses.iter().map(|&(service, status)| Policy::abort(service, 100, status));
    world.publish(policies.collect()).await?;
    let world = &*world;
    let own = try_join_all(statuses.iter().map(|&(service, status)| async move {
        let results = world.ask(service, ASKED).await?;
        anyhow::Ok(results.with_status(status))
    }));
    let own: usize = own.await?.into_iter().sum();
    let asked = ASKED * statuses.len();
    let measured = format!("{own} of {asked} requests get their own fault");
    report.figure("ten-policies", measured, own == asked)
}
