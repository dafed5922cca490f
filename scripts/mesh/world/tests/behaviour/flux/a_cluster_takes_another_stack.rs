//! A cluster moves from sidecars to ambient mode by taking another stack, and the demo comes with a waypoint.

use anyhow::{Result, ensure};
use serde_json::Value;
use world::FluxWorld;

use super::support::{apply, get, until_ready};

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    world.make_waypoints_plain().await?;
    apply(world, "local").await?;
    until_ready(world).await?;
    let plugin = get(world, "wasmplugin/hfi-waypoint", "demo").await?;
    ensure!(plugin.pointer("/spec/targetRefs/0/name").is_some_and(|name| name == "waypoint"), "{plugin}");
    let pods = get(world, "pods", "demo").await?;
    let pods = pods.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    ensure!(pods.len() == 5, "frontend, three of checkout and the waypoint: {pods:#?}");
    Ok(())
}
