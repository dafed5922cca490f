//! Observability: the plugins, what they have injected, and the policies in force.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use harness::{Deadline, Envoy};
use serde_json::Value;

use crate::policy::Policy;
use crate::report::Report;
use crate::world::{PRODUCTCATALOG, World, json, services};

const ASKED: usize = 100;

pub(crate) async fn play(world: &mut World, report: &mut Report) -> Result<()> {
    for (policy, metric) in [
        (Policy::abort(PRODUCTCATALOG, 100, 503), "hfi.faults.aborts_total"),
        (Policy::delay(PRODUCTCATALOG, 5), "hfi.faults.delays_total"),
    ] {
        world.publish(vec![policy]).await?;
        let (counted, injected) = counted(world, metric).await?;
        let measured = format!("{metric}: {counted} for {injected}");
        report.figure("counted", measured, counted == injected)?;
    }

    let policies: Vec<_> = services().map(|service| Policy::abort(service, 100, 503)).collect();
    world.publish(policies).await?;
    let listed = json(&world.mesh.client, world.mesh.reconciler.address(), "/v1/policies").await?;
    let listed = listed.get("policies").and_then(Value::as_array).into_iter().flatten();
    let target = |policy: &Value| Some(policy.pointer("/spec/selector/service")?.as_str()?.to_owned());
    let targets: BTreeSet<_> = listed.filter_map(target).collect();
    let measured = format!("{} of 10", targets.len());
    let holds = targets.iter().map(String::as_str).eq(services().collect::<BTreeSet<_>>());
    report.figure("active", measured, holds)
}

/// The count of a new sidecar, once it no longer grows, and the faults that it was seen to inject.
async fn counted(world: &World, metric: &str) -> Result<(u64, u64)> {
    let envoy = world.mesh.sidecar(PRODUCTCATALOG).replica(6);
    let envoy = Envoy::start(envoy, &world.mesh.client).await?;
    let deadline = Deadline::of("a sidecar to inject in every request", Duration::from_secs(30));
    let mut injected = 0;
    loop {
        let results = world.ask_at(&[envoy.address()], ASKED).await?;
        let touched = results.aborted() + results.delayed();
        injected += touched as u64;
        if touched == ASKED {
            break;
        }
        deadline.pause().await?;
    }
    // Workers hand on what they count a little later.
    let deadline = Deadline::of("the counter", Duration::from_secs(5));
    while envoy.stat(metric).await? < injected && deadline.pause().await.is_ok() {}
    Ok((envoy.stat(metric).await?, injected))
}
