//! The plugins of a namespace.

use anyhow::{Context, Result};
use harness::paths;
use serde_json::{Value, json};
use world::World;

use super::get;

/// The plugins of `k8s/plugin/sidecar`.
pub(crate) const PLUGINS: [&str; 2] = ["hfi-inbound", "hfi-outbound"];

/// Makes a namespace whose Pods are injected, with these plugins.
pub(crate) async fn namespace_with_plugins(world: &World, namespace: &str) -> Result<()> {
    world.kubectl(&["create", "namespace", namespace]).await?;
    world.kubectl(&["label", "namespace", namespace, "istio-injection=enabled"]).await?;
    let plugins = paths::workspace().join("k8s/plugin/sidecar").display().to_string();
    world.kubectl(&["apply", "--namespace", namespace, "--kustomize", &plugins]).await?;
    Ok(())
}

/// The digest of the module that a plugin names.
pub(crate) async fn module(world: &World, namespace: &str) -> Result<String> {
    let plugin = get(world, namespace, "wasmplugin/hfi-inbound").await?;
    Ok(plugin.pointer("/spec/sha256").and_then(Value::as_str).context("no sha256")?.to_owned())
}

/// Makes both plugins name this module.
pub(crate) async fn name_module(world: &World, namespace: &str, digest: &str) -> Result<()> {
    let url = format!("http://hfi-control-plane.boifi.svc.cluster.local:8080/filter/{digest}.wasm");
    let patch = json!({"spec": {"url": url, "sha256": digest}}).to_string();
    for plugin in PLUGINS {
        let words =
            ["patch", "wasmplugin", plugin, "--namespace", namespace, "--type=merge", "--patch", &patch];
        world.kubectl(&words).await?;
    }
    Ok(())
}

/// Their resource versions, which any write changes.
pub(crate) async fn versions(world: &World, namespace: &str) -> Result<Vec<Value>> {
    let plugins = get(world, namespace, "wasmplugins").await?;
    let plugins = plugins.pointer("/items").and_then(Value::as_array).context("no list")?;
    Ok(plugins.iter().filter_map(|plugin| plugin.pointer("/metadata/resourceVersion").cloned()).collect())
}

/// True if hfi has had both of them sent again.
pub(crate) async fn were_sent_again(world: &World, namespace: &str) -> Result<bool> {
    let plugins = get(world, namespace, "wasmplugins").await?;
    let mut plugins = plugins.pointer("/items").and_then(Value::as_array).context("no list")?.iter();
    Ok(plugins.all(|plugin| plugin.pointer("/metadata/annotations/hfi.dev~1sent-again").is_some()))
}
