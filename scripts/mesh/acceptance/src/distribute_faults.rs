//! A percentage holds over all replicas of a service, and while they come and go.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{CONFIDENCE, Expectation, Results, expected};

use crate::policy::Policy;
use crate::report::{Milliseconds, Report};
use crate::world::{FRONTEND, World};

const SHARE: f64 = 0.3;
/// So many that chance alone does not leave ±10 % of the share: that is five standard deviations.
const MANY: usize = 6000;
const SOME: usize = 1500;
const FEW: usize = 100;

pub(crate) async fn play(world: &mut World, report: &mut Report) -> Result<()> {
    world.publish(vec![Policy::abort(FRONTEND, 30, 503)]).await?;
    let few = world.ask(FRONTEND, FEW).await?.aborted();
    let bound = expected(FEW, SHARE, CONFIDENCE);
    let measured = format!("{few} (by chance {} to {})", bound.start(), bound.end());
    report.figure("few", measured, bound.contains(&few))?;
    let many = world.ask(FRONTEND, MANY).await?;
    let within = format!("{} (27 to 33 allowed)", percent(&many));
    let holds_many = (share_of(&many) / SHARE - 1.0).abs() <= report.share("many")? && holds(&many);
    report.figure("many", within, holds_many)?;

    let replicas = world.mesh.addresses(FRONTEND);
    let at_random = || replicas.get(fastrand::usize(..replicas.len())).copied();
    let routes: Vec<_> = std::iter::repeat_with(at_random).take(SOME).flatten().collect();
    let routed = world.ask_at(&routes, SOME).await?;
    report.figure("any-pod", percent(&routed), holds(&routed))?;

    one_restarts(world, report).await?;
    scaled_to_zero(world, report).await
}

async fn one_restarts(world: &mut World, report: &mut Report) -> Result<()> {
    let replica = world.mesh.envoy_mut(FRONTEND)?;
    replica.restart().await?;
    let (address, restarted) = (replica.address(), Instant::now());
    let (_, last) = world.followed().await?;
    let after = last.saturating_duration_since(restarted);
    let alone = world.ask_at(&[address], SOME).await?;
    let together = world.ask(FRONTEND, SOME).await?;
    let measured =
        format!("{} after {}; together {}", percent(&alone), Milliseconds(after), percent(&together));
    let holds = holds(&alone) && holds(&together) && after <= Duration::from_secs(30);
    report.figure("replaced", measured, holds)
}

/// New pods begin with the policies that were pushed while there were none.
async fn scaled_to_zero(world: &mut World, report: &mut Report) -> Result<()> {
    for envoy in world.mesh.envoys_mut(FRONTEND) {
        envoy.kill().await?;
    }
    world.push(vec![Policy::abort(FRONTEND, 100, 502)]).await?;
    for envoy in world.mesh.envoys_mut(FRONTEND) {
        envoy.restart().await?;
    }
    let back = Instant::now();
    let (_, last) = world.followed().await?;
    let after = last.saturating_duration_since(back);
    let current = world.ask(FRONTEND, FEW).await?.with_status(502);
    let measured = format!("after {}; {current} of {FEW} as pushed", Milliseconds(after));
    let holds = current == FEW && after <= report.limit("scaled")?;
    report.figure("scaled", measured, holds)
}

fn share_of(results: &Results) -> f64 {
    results.aborted() as f64 / results.requests() as f64
}

/// Within what chance allows.
fn holds(results: &Results) -> bool {
    Expectation::Aborted { share: SHARE }.holds(results)
}

fn percent(results: &Results) -> String {
    format!("{:.1} %", 100.0 * share_of(results))
}
