//! The plugins of a namespace.

use anyhow::{Context, Result};
use harness::{HFI_ADDRESS, module_at, wasm_plugin};
use serde_json::{Value, json};
use world::World;

use super::get;
use super::overlay::Overlay;

/// The plugins of `k8s/plugin/sidecar`.
pub(crate) const PLUGINS: [&str; 2] = ["hfi-inbound", "hfi-outbound"];

/// The longest time of a poll, in seconds. It is short, since a proxy counts as silent a minute after its next poll was
/// due.
pub(crate) const POLL_WAIT: u64 = 2;

/// Makes a namespace whose Pods are injected, with these plugins.
pub(crate) async fn namespace_with_plugins(world: &World, namespace: &str) -> Result<()> {
    world.kubectl(&["create", "namespace", namespace]).await?;
    world.kubectl(&["label", "namespace", namespace, "istio-injection=enabled"]).await?;
    let short = json!({"pluginConfig": {"poll_wait_seconds": POLL_WAIT}});
    let plugins = Overlay::of("plugins", "k8s/plugin/sidecar")?;
    plugins.with_plugin(wasm_plugin("hfi", short).to_string()).apply(world, Some(namespace)).await
}

/// The digest of the module that a plugin names.
pub(crate) async fn module(world: &World, namespace: &str) -> Result<String> {
    let plugin = get(world, namespace, "wasmplugin/hfi-inbound").await?;
    Ok(plugin.pointer("/spec/sha256").and_then(Value::as_str).context("no sha256")?.to_owned())
}

/// Makes both plugins name this module.
pub(crate) async fn name_module(world: &World, namespace: &str, digest: &str) -> Result<()> {
    for plugin in PLUGINS {
        patch(world, namespace, plugin, &module_at(HFI_ADDRESS, digest)).await?;
    }
    Ok(())
}

/// Changes fields of the spec of a plugin.
pub(crate) async fn patch(world: &World, namespace: &str, plugin: &str, spec: &Value) -> Result<()> {
    let patch = json!({"spec": spec}).to_string();
    let words = ["patch", "wasmplugin", plugin, "--namespace", namespace, "--type=merge", "--patch", &patch];
    world.kubectl(&words).await.map(drop)
}

/// Their resource versions, which any write changes.
pub(crate) async fn versions(world: &World, namespace: &str) -> Result<Vec<Value>> {
    let plugins = get(world, namespace, "wasmplugins").await?;
    let plugins = plugins.pointer("/items").and_then(Value::as_array).context("no list")?;
    Ok(plugins.iter().filter_map(|plugin| plugin.pointer("/metadata/resourceVersion").cloned()).collect())
}

/// True if hfi has had both of them sent again.
pub(crate) async fn were_sent_again(world: &World, namespace: &str) -> Result<bool> {
    for plugin in PLUGINS {
        if !was_sent_again(world, namespace, plugin).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// True if hfi has had a plugin sent again.
pub(crate) async fn was_sent_again(world: &World, namespace: &str, plugin: &str) -> Result<bool> {
    let plugin = get(world, namespace, &format!("wasmplugin/{plugin}")).await?;
    Ok(plugin.pointer("/metadata/annotations/hfi.dev~1sent-again").is_some())
}
