//! What somebody changes by hand is set back at the next look: what a link has applied, and what a chart has brought.

use anyhow::{Result, ensure};
use world::FluxWorld;

use super::support::{get, reconcile, until};

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    let disabled = r#"{"spec": {"accessLogging": [{"disabled": true}]}}"#;
    change(world, "telemetry/mesh-default", disabled).await?;
    reconcile(world, &["kustomization/hfi-istio-telemetry"], "flux-system").await?;
    until(world, "Flux to set the Telemetry back", async |world| {
        let telemetry = get(world, "telemetry/mesh-default", "istio-system").await?;
        ensure!(telemetry.pointer("/spec/accessLogging/0/disabled").is_none(), "{telemetry}");
        Ok(())
    })
    .await?;

    let surge = r#"{"spec": {"strategy": {"rollingUpdate": {"maxSurge": "37%"}}}}"#;
    change(world, "deployment/istiod", surge).await?;
    reconcile(world, &["helmrelease/istiod"], "istio-system").await?;
    until(world, "Flux to set istiod back", async |world| {
        let istiod = get(world, "deployment/istiod", "istio-system").await?;
        let surge = istiod.pointer("/spec/strategy/rollingUpdate/maxSurge");
        ensure!(surge.is_some_and(|surge| surge == "100%"), "{surge:?}");
        Ok(())
    })
    .await
}

async fn change(world: &FluxWorld, object: &str, patch: &str) -> Result<()> {
    let words = ["patch", object, "--namespace=istio-system", "--type=merge", "--patch", patch];
    world.kubectl(&words).await.map(drop)
}
