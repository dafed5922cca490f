//! Plugins that never run in the proxies that they are for: Envoy's own listeners say whether the doctor is right.

use anyhow::{Context, Result, ensure};
use harness::Deadline;
use serde_json::json;
use world::World;

use super::{PATIENCE, finds, plugins::plugin};
use crate::person::types;
use crate::support::{pods::pods, proxy};

/// The Service `frontend` leads from port 80 to port 8080 of its Pods.
pub(crate) async fn ports(world: &World) -> Result<()> {
    let overlap =
        ["WasmPlugin demo/elsewhere", "and demo/hfi-inbound both run in Pod demo/", "do not overlap"];
    for (port, runs) in [(8080, true), (80, false), (8080, true), (9, false)] {
        let part = json!({"mode": "SERVER", "ports": [{"number": port}]});
        plugin(world, "demo", "elsewhere", json!({"match": [part]})).await?;
        has_filter(world, "demo.elsewhere", runs).await.with_context(|| format!("port {port}"))?;
        let expected = if runs { &[overlap][..] } else { &[] };
        finds(world, &format!("a plugin for port {port}"), expected).await?;
    }
    types(world, "kubectl -n demo delete wasmplugin elsewhere").await?;
    Ok(())
}

/// Waits until the listeners of the frontend have a filter, or have it no more.
async fn has_filter(world: &World, name: &str, expected: bool) -> Result<()> {
    let pods = pods(world, "demo", Some("frontend")).await?;
    let pod = pods.first().context("no frontend")?;
    let deadline = Deadline::of("the listeners of the frontend", PATIENCE);
    loop {
        let listeners = proxy::ask(world, pod, "config_dump?resource=dynamic_listeners").await?;
        ensure!(listeners.contains("demo.hfi-inbound"), "{listeners}");
        if listeners.contains(name) == expected {
            return Ok(());
        }
        deadline.pause().await?;
    }
}
