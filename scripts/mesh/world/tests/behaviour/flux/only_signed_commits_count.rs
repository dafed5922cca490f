//! A commit that nobody signed changes nothing, and neither does one whose signer was taken away: not the stack, and not
//! the beginning of the cluster, which says whom to believe.

use anyhow::{Context, Result, ensure};
use harness::Repository;
use serde_json::Value;
use world::FluxWorld;

use super::production::sign_as;
use super::support::{edit, get, link, push, reconcile_source, until, until_ready};

const STACK: &str = "flux/stacks/production/kustomization.yaml";

pub(super) async fn step(world: &mut FluxWorld, signers: &[&str; 2]) -> Result<()> {
    let [alice, bob] = signers;
    let before = link(world, "hfi-stack").await?.revision;

    world.platform().git(&["config", "commit.gpgsign", "false"]).await?;
    edit(world, STACK, "telemetry/failures-only", "telemetry/quiet")?;
    push(world, "Log nothing, says nobody").await?;
    until(world, "Flux to refuse the unsigned commit", refused).await?;
    for name in ["hfi-stack", "flux-system"] {
        ensure!(link(world, name).await?.revision == before, "{name} has the unsigned commit");
    }

    sign_as(world.platform(), world, alice).await?;
    push_again(world.platform(), "Log nothing, says alice").await?;
    reconcile_source(world).await?;
    until_ready(world).await?;

    // Bob takes alice's place.
    let signed = link(world, "hfi-stack").await?.revision;
    let key = format!("--from-file={bob}.sshpub={}", world.key(bob).await?.with_extension("pub").display());
    world.kubectl(&["delete", "secret", "platform-authors", "--namespace=flux-system"]).await?;
    world
        .kubectl(&["create", "secret", "generic", "platform-authors", "--namespace=flux-system", &key])
        .await?;
    edit(world, STACK, "telemetry/quiet", "telemetry/failures-only")?;
    push(world, "Log failures, says alice").await?;
    until(world, "Flux to refuse alice", refused).await?;
    ensure!(link(world, "hfi-stack").await?.revision == signed, "alice is believed");
    sign_as(world.platform(), world, bob).await?;
    push_again(world.platform(), "Log failures, says bob").await?;
    reconcile_source(world).await?;
    until_ready(world).await
}

/// Flux does not believe the newest commit.
async fn refused(world: &FluxWorld) -> Result<()> {
    for source in ["hfi", "flux-system"] {
        refused_by(world, source).await.context(source)?;
    }
    Ok(())
}

async fn refused_by(world: &FluxWorld, source: &'static str) -> Result<()> {
    let source = get(world, &format!("gitrepository/{source}"), "flux-system").await?;
    let conditions = source.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let is_refused = |condition: &Value| {
        condition.get("type").is_some_and(|kind| kind == "Ready")
            && condition.get("status").is_some_and(|status| status == "False")
            && condition.get("message").is_some_and(|message| message.to_string().contains("signature"))
    };
    ensure!(conditions.any(is_refused), "{source}");
    Ok(())
}

/// A commit without a change, signed as the repository is set up.
async fn push_again(repository: &Repository, message: &str) -> Result<()> {
    repository.git(&["commit", "--quiet", "--allow-empty", "--message", message]).await?;
    repository.git(&["push", "--quiet", "origin", "main"]).await.map(drop)
}
