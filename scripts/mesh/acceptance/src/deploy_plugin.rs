//! The plugin in the sidecars: it loads, follows every change, and costs little time at the start.

use std::time::Instant;

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
    let all = sidecars();
    let loaded = world.loaded_after;
    for figure in ["loaded", "loaded-at-most"] {
        report.within(figure, loaded, format!("{all} of {all} after {}", Milliseconds(loaded)))?;
    }

    let mut said = 0;
    for envoy in services().flat_map(|service| world.mesh.envoys(service)) {
        said += usize::from(envoy.log()?.contains(FOLLOWS));
    }
    report.figure("logged", format!("{said} of {all}"), said == all)?;

    // After an outage, filters ask again within the pause that it has left them with: that is no part of an update.
    for policies in [vec![Policy::abort("*", 100, 503)], Vec::new()] {
        world.publish(policies).await?;
    }
    let mut updates = Vec::new();
    for number in 0..UPDATES {
        let everybody = Policy::abort("*", 100, 503);
        updates.push(world.publish(if number % 2 == 0 { vec![everybody] } else { Vec::new() }).await?);
    }
    let slowest = updates.iter().max().copied().unwrap_or_default();
    let measured =
        format!("median {}, slowest {} of {UPDATES}", Milliseconds(median(updates)), Milliseconds(slowest));
    report.within("updated", slowest, measured)?;
    let slowest = world.updates.iter().max().copied().unwrap_or_default();
    let measured = format!("slowest {} of {}", Milliseconds(slowest), world.updates.len());
    report.within("pushed", slowest, measured)?;

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
    let holds = added < report.limit("started")?;
    report.figure("started", measured, holds)
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
    report.within("restarted", after, measured)
}
