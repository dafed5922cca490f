//! A link that is removed from a stack is pruned with all that it applied, and nothing else is.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::Value;
use world::FluxWorld;

use super::support::{edit, push, until, until_ready};

/// Kinds of what Flux applies.
const KINDS: &str = "namespaces,crds,kustomizations.kustomize.toolkit.fluxcd.io,gitrepositories,helmrepositories,\
    helmreleases,deployments,services,configmaps,networkpolicies,serviceaccounts,clusterroles,certificates,\
    clusterissuers,gateways.gateway.networking.k8s.io,telemetries,wasmplugins,peerauthentications";

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    let before = applied(world).await?;
    edit(world, "flux/stacks/sidecar/kustomization.yaml", "  - plugin.yaml\n", "")?;
    push(world, "Take the filter out").await?;
    until(world, "the link to be pruned", async |world| {
        let left = world.links().await?.iter().any(|link| link.name == "hfi-plugin");
        let plugins = world.kubectl(&["get", "wasmplugins", "--all-namespaces", "--output=name"]).await?;
        ensure!(!left && plugins.is_empty(), "{plugins}");
        Ok(())
    })
    .await?;
    until_ready(world).await?;
    let after = applied(world).await?;
    let mut gone: Vec<_> =
        before.iter().filter(|(uid, _)| !after.contains_key(*uid)).map(|(_, name)| name).collect();
    gone.sort();
    let expected = [
        "Kustomization flux-system/hfi-plugin",
        "WasmPlugin istio-system/hfi-inbound",
        "WasmPlugin istio-system/hfi-outbound",
    ];
    ensure!(gone == expected, "{gone:?}");
    ensure!(before.len() == after.len() + expected.len(), "there is more than before");
    Ok(())
}

/// The names of what Flux has applied, by UID.
async fn applied(world: &FluxWorld) -> Result<BTreeMap<String, String>> {
    let label = "--selector=kustomize.toolkit.fluxcd.io/name";
    let found = world.kubectl(&["get", KINDS, "--all-namespaces", label, "--output=json"]).await?;
    let found: Value = serde_json::from_str(&found)?;
    let items = found.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |item: &Value, place| item.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = |item: &Value| {
        let place = format!("{}/{}", text(item, "/metadata/namespace"), text(item, "/metadata/name"));
        format!("{} {place}", text(item, "/kind"))
    };
    Ok(items.iter().map(|item| (text(item, "/metadata/uid"), name(item))).collect())
}
