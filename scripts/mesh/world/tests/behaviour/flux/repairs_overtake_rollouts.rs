//! A rollout that cannot succeed keeps its link from being Ready, and the commit that repairs it does not wait for it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use world::FluxWorld;

use super::support::{edit, get, link, push, until, until_ready};

const DEPLOYMENT: &str = "flux/components/hfi/settings/deployment.yaml";

/// The link's own limit is two minutes.
const SOON: Duration = Duration::from_secs(60);

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    edit(world, DEPLOYMENT, ":=hfi:0.1.0", ":=registry.example/no-such-image:1")?;
    push(world, "Name an image that is nowhere").await?;
    until(world, "a replica without an image", async |world| {
        let pods = get(world, "pods", "boifi").await?.to_string();
        ensure!(pods.contains("ImagePullBackOff") || pods.contains("ErrImagePull"), "{pods}");
        Ok(())
    })
    .await?;
    let stuck = link(world, "hfi").await?;
    ensure!(!stuck.is_ready, "{stuck:?}");
    let deployment = get(world, "deployment/hfi-control-plane", "boifi").await?;
    let ready = deployment.pointer("/status/readyReplicas").and_then(serde_json::Value::as_u64);
    ensure!(ready == Some(2), "the old replicas are gone: {deployment}");

    edit(world, DEPLOYMENT, ":=registry.example/no-such-image:1", ":=hfi:0.1.0")?;
    let repaired = Instant::now();
    push(world, "Name the image again").await?;
    until_ready(world).await?;
    println!("a repair overtook the rollout in {:?}", repaired.elapsed());
    ensure!(repaired.elapsed() < SOON);
    Ok(())
}
