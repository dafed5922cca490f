//! A commit and its revert reach the cluster. A broken commit changes nothing, and the link says where it is
//! broken. Names that Flux refuses do no harm outside of what it is to check out.

use anyhow::{Result, ensure};
use serde_json::Value;
use world::FluxWorld;

use super::support::{edit, get, link, push, reconcile_source, until, until_followed, until_ready};

const STACK: &str = "flux/stacks/base/istio.yaml";
const TELEMETRY: &str = "flux/components/istio/telemetry/access-logs/telemetry.yaml";

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    ensure!(is_logged(world).await?);
    edit(world, STACK, "telemetry/access-logs", "telemetry/quiet")?;
    // A name that Windows reserves: source-controller refuses it wherever it checks it out.
    world.platform().write("policies/nul", "")?;
    push(world, "Log nothing").await?;
    until_followed(world, "hfi-istio-telemetry").await?;
    ensure!(!is_logged(world).await?, "the second commit");
    refused_without_sparse_checkout(world).await?;

    world.platform().git(&["revert", "--no-edit", "HEAD"]).await?;
    world.platform().git(&["push", "--quiet", "origin", "main"]).await?;
    reconcile_source(world).await?;
    until_followed(world, "hfi-istio-telemetry").await?;
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

/// Has Flux check out all of the repository for a while, which has a name that it refuses.
async fn refused_without_sparse_checkout(world: &mut FluxWorld) -> Result<()> {
    sparse_checkout(world, "null").await?;
    until(world, "Flux to refuse the repository as a whole", async |world| {
        let source = get(world, "gitrepository/hfi", "flux-system").await?;
        let conditions = source.pointer("/status/conditions").and_then(Value::as_array);
        let refuses = |condition: &Value| {
            condition.get("type").is_some_and(|kind| kind == "Ready")
                && condition
                    .get("message")
                    .is_some_and(|message| message.to_string().contains("invalid path"))
        };
        ensure!(conditions.into_iter().flatten().any(refuses), "{source}");
        Ok(())
    })
    .await?;
    sparse_checkout(world, r#"["flux", "k8s"]"#).await
}

async fn sparse_checkout(world: &FluxWorld, directories: &str) -> Result<()> {
    let patch = format!(r#"{{"spec": {{"sparseCheckout": {directories}}}}}"#);
    let words =
        ["patch", "gitrepository", "hfi", "--namespace=flux-system", "--type=merge", "--patch", &patch];
    world.kubectl(&words).await.map(drop)
}

/// True if the mesh writes access logs.
async fn is_logged(world: &FluxWorld) -> Result<bool> {
    let telemetry = get(world, "telemetry/mesh-default", "istio-system").await?;
    Ok(telemetry.pointer("/spec/accessLogging/0/providers").is_some())
}
