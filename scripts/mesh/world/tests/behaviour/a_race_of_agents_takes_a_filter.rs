//! A failure to fetch the module of an older plugin that ends after the success of the newer one takes the filter away.
//! With `k8s/components/healing` it is back within two minutes, and nobody does anything.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Deadline, Repository};
use serde_json::Value;
use world::World;

use crate::support::faults::{EVERY_FRONTEND, frontend};
use crate::support::plugins::{module, name_module, namespace_with_plugins};
use crate::support::replicas::ask_all;
use crate::support::{PATIENCE, control_plane, roll_out, serve, start};

/// The agent tries five times to fetch a module.
const GIVES_UP: Duration = Duration::from_secs(60);
const TWO_MINUTES: Duration = Duration::from_secs(120);

#[tokio::test]
async fn and_is_given_back() -> Result<()> {
    let world = start().await?;
    let policies = Repository::new().await?;
    let _git = serve(&world, &policies).await?;
    policies.write("every-frontend.yaml", EVERY_FRONTEND)?;
    policies.push("Break every frontend").await?;
    control_plane("default")?.with_component("k8s/components/healing")?.apply(&world, None).await?;
    roll_out(&world, "boifi", "hfi-control-plane").await?;
    namespace_with_plugins(&world, "demo").await?;
    let right = module(&world, "demo").await?;
    let faults = frontend(&world, "demo").await?;
    faults.until("the fault in a proxy that starts well", true, PATIENCE).await?;

    let raced = provoke_race(&world, "demo", &right).await?;
    let lost = faults.until("the loss of the filter by the race", false, GIVES_UP).await?;
    let back = faults.until("the filter that the race took", true, TWO_MINUTES).await?;
    println!("the race takes the filter after {:?}; it is back {:?} later", lost - raced, back - lost);
    ensure!(back - lost < TWO_MINUTES, "it takes {:?}", back - lost);
    world.end().await
}

/// Has the agents begin to fetch a module that nobody has, and then names the right one again. The failure ends after
/// the success, and takes the filter away. Returns when the plugins were right again.
async fn provoke_race(world: &World, namespace: &str, right: &str) -> Result<Instant> {
    name_module(world, namespace, &"0".repeat(64)).await?;
    let deadline = Deadline::of("a request for a module that nobody has", GIVES_UP);
    loop {
        let unknown = |answer: &String| {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            answer.pointer("/modules/unknownRequests").and_then(Value::as_u64).unwrap_or(0)
        };
        if ask_all(world, "/v1/filters").await?.iter().map(unknown).sum::<u64>() > 0 {
            break;
        }
        deadline.pause().await?;
    }
    name_module(world, namespace, right).await?;
    Ok(Instant::now())
}
