//! The plugin in the sidecars: it loads, follows every change, and costs little time at the start.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Envoy, median};

use crate::policy::Policy;
use crate::report::{Milliseconds, Report};
use crate::world::{FRONTEND, World, services, sidecars};

const UPDATES: usize = 6;
/// Starts of a proxy with the plugin, and as many without.
const STARTS: usize = 5;
const FOLLOWS: &str = "Received config update from control plane";

pub(crate) async fn play(world: &mut World, report: &mut Report) -> Result<()> {
    report.story("US2", "Deploy the Wasm plugin to the sidecars");
    let all = sidecars();
    let loaded = world.loaded_after;
    for (id, asked, allowed) in
        [("US2.1", "the plugin is loaded in all sidecars within 30 s", 30), ("SC-002", "... within 60 s", 60)]
    {
        let measured = format!("{all} of {all} after {}", Milliseconds(loaded));
        report.figure(id, asked, measured, loaded <= Duration::from_secs(allowed));
    }

    let mut said = 0;
    for envoy in services().flat_map(|service| world.mesh.envoys(service)) {
        said += usize::from(envoy.log()?.contains(FOLLOWS));
    }
    report.figure("US2.2", &format!("each log: \"{FOLLOWS}\""), format!("{said} of {all}"), said == all);

    let mut updates = Vec::new();
    for number in 0..UPDATES {
        let everybody = Policy::abort("*", 100, 503);
        updates.push(world.publish(if number % 2 == 0 { vec![everybody] } else { Vec::new() }).await?);
    }
    let slowest = updates.iter().max().copied().unwrap_or_default();
    let measured =
        format!("median {}, slowest {} of {UPDATES}", Milliseconds(median(updates)), Milliseconds(slowest));
    report.figure(
        "US2.3",
        "an update reaches all sidecars within 5 s",
        measured,
        slowest <= Duration::from_secs(5),
    );
    let slowest = world.updates.iter().max().copied().unwrap_or_default();
    let measured = format!("slowest {} of {}", Milliseconds(slowest), world.updates.len());
    let asked = "... and every update so far within 30 s";
    report.figure("SC-003", asked, measured, slowest <= Duration::from_secs(30));
    report.elsewhere("US2.4", "the reason why a plugin did not load is told", "scripts/e2e/deploy-plugin");

    start_time(world, report).await?;
    all_restart(world, report).await
}

/// By turns with and without, so that what else the machine does is shared by both; and less what Envoy's
/// main thread waited for a processor.
async fn start_time(world: &World, report: &mut Report) -> Result<()> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let sidecar = world.mesh.sidecar(FRONTEND).replica(9);
        for (sidecar, times) in [(sidecar.clone(), &mut with), (sidecar.without_filter(), &mut without)] {
            let began = Instant::now();
            let envoy = Envoy::start(sidecar, &world.mesh.client).await?;
            times.push(began.elapsed().saturating_sub(envoy.time_in_queue()?));
        }
    }
    let (with, without) = (median(with), median(without));
    let added = with.saturating_sub(without);
    let measured =
        format!("{} ({} instead of {})", Milliseconds(added), with.as_millis(), without.as_millis());
    report.figure(
        "SC-008",
        "the plugin adds less than 500 ms to a start",
        measured,
        added < Duration::from_millis(500),
    );
    Ok(())
}

/// As an upgrade of Istio does it: one proxy after the other.
async fn all_restart(world: &mut World, report: &mut Report) -> Result<()> {
    world.publish(vec![Policy::abort("*", 100, 503)]).await?;
    for service in services() {
        for envoy in world.mesh.envoys_mut(service) {
            envoy.restart().await?;
        }
    }
    let restarted = Instant::now();
    let (_, last) = world.followed().await?;
    let after = last.saturating_duration_since(restarted);
    let measured = format!("{} of {} after {}", sidecars(), sidecars(), Milliseconds(after));
    let asked = "all sidecars restarted: each injects again (30 s)";
    report.figure("edge", asked, measured, after <= Duration::from_secs(30));
    Ok(())
}
