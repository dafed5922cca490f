//! A commit and its revert reach the cluster. A broken commit changes nothing, and the link says where it is
//! broken.

use anyhow::{Result, ensure};
use world::FluxWorld;

use super::support::{edit, get, link, push, reconcile_source, until, until_ready};

const STACK: &str = "flux/stacks/base/istio.yaml";
const TELEMETRY: &str = "flux/components/istio/telemetry/access-logs/telemetry.yaml";

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    ensure!(is_logged(world).await?);
    edit(world, STACK, "telemetry/access-logs", "telemetry/quiet")?;
    // A name that Windows reserves: source-controller refuses it wherever it checks it out.
    world.platform().write("policies/nul", "")?;
    push(world, "Log nothing").await?;
    until_ready(world).await?;
    ensure!(!is_logged(world).await?, "the second commit");

    world.platform().git(&["revert", "--no-edit", "HEAD"]).await?;
    world.platform().git(&["push", "--quiet", "origin", "main"]).await?;
    reconcile_source(world).await?;
    until_ready(world).await?;
    ensure!(is_logged(world).await?, "the revert");

    let before = get(world, "telemetry/mesh-default", "istio-system").await?;
    edit(world, TELEMETRY, "accessLogging:", "accessLogging: [")?;
    push(world, "Break the telemetry").await?;
    until(world, "the link to say what is broken", async |world| {
        let link = link(world, "hfi-istio-telemetry").await?;
        ensure!(!link.is_ready && link.message.contains("telemetry.yaml"), "{link:?}");
        Ok(())
    })
    .await?;
    ensure!(get(world, "telemetry/mesh-default", "istio-system").await? == before, "the broken commit");
    edit(world, TELEMETRY, "accessLogging: [", "accessLogging:")?;
    push(world, "Mend the telemetry").await?;
    until_ready(world).await
}

/// True if the mesh writes access logs.
async fn is_logged(world: &FluxWorld) -> Result<bool> {
    let telemetry = get(world, "telemetry/mesh-default", "istio-system").await?;
    Ok(telemetry.pointer("/spec/accessLogging/0/providers").is_some())
}
