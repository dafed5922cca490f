//! A commit that names a newer version of Istio's charts waits until the index has it, and all releases follow as soon
//! as Flux reads the index again.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use world::FluxWorld;

use super::support::{edit, get, link, push, reconcile, until};

const BASE: &str = "flux/components/istio/mesh/base.yaml";

/// Publishes a version after a commit has asked for it, and tells which.
pub(super) async fn step(world: &mut FluxWorld) -> Result<String> {
    let base = fs::read_to_string(world.platform().work().join(BASE))?;
    let version =
        base.lines().find_map(|line| line.trim().strip_prefix("version: ")).context("no version")?;
    let (minor, patch) = version.rsplit_once('.').context("no patch version")?;
    let newer = format!("{minor}.{}", patch.parse::<u32>()? + 1);
    edit(world, BASE, &format!("version: {version}"), &format!("version: {newer}"))?;
    push(world, "Take a newer Istio").await?;
    until(world, "the release to miss the chart", async |world| {
        let release = get(world, "helmrelease/istio-base", "istio-system").await?;
        let ready = release.pointer("/status/conditions").and_then(Value::as_array).context("no status")?;
        let misses = |condition: &Value| {
            let message = condition.get("message").and_then(Value::as_str).unwrap_or_default();
            message.contains(&newer) && condition.get("status").is_some_and(|status| status != "True")
        };
        ensure!(ready.iter().any(misses), "{ready:#?}");
        Ok(())
    })
    .await?;
    let waits = link(world, "hfi-istio").await?;
    ensure!(!waits.is_ready, "{waits:?}");
    let repository = get(world, "helmrepository/istio", "istio-system").await?;
    let interval = repository.pointer("/spec/interval");
    ensure!(interval.is_some_and(|interval| interval == "5m"), "README.md says 5 minutes: {interval:?}");

    world.publish_istio(&[version, &newer]).await?;
    reconcile(world, &["helmrepository/istio"], "istio-system").await?;
    Ok(newer)
}

/// All releases of Istio are of a version.
pub(super) async fn are_of(world: &FluxWorld, version: &str) -> Result<()> {
    let releases = get(world, "helmreleases", "istio-system").await?;
    let releases = releases.pointer("/items").and_then(Value::as_array).context("no list")?;
    ensure!(releases.len() == 4, "base, istiod, cni and ztunnel: {releases:#?}");
    for release in releases {
        let runs = release.pointer("/status/history/0/chartVersion").and_then(Value::as_str);
        ensure!(runs == Some(version), "{:?} is of {runs:?}", release.pointer("/metadata/name"));
    }
    Ok(())
}
