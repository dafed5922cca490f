//! Faults of plugins, most of which Istio accepts in silence.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use world::World;

use super::finds;
use crate::person::types;
use crate::support::get;

/// The plugin that is installed, under another name, with these fields of its spec changed; null removes one.
pub(super) async fn plugin(world: &World, namespace: &str, name: &str, changes: Value) -> Result<()> {
    let plugin = get(world, "demo", "wasmplugin/hfi-inbound").await?;
    let mut spec = plugin.get("spec").and_then(Value::as_object).context("no spec")?.clone();
    spec.extend(changes.as_object().context("no changes")?.clone());
    spec.retain(|_, value| !value.is_null());
    let labels = plugin.pointer("/metadata/labels");
    let metadata = json!({"namespace": namespace, "name": name, "labels": labels});
    world.apply(&[json!({"apiVersion": plugin.get("apiVersion"), "kind": "WasmPlugin", "metadata": metadata, "spec": spec})]).await
}

/// Each mistake in a plugin for nobody, so that no traffic is in danger.
pub(crate) async fn are_wrong(world: &World) -> Result<()> {
    let nobody = json!({"matchLabels": {"app": "nobody"}});
    let address = "other.boifi.svc.cluster.local:8080";
    let wrong = json!({
        "selector": nobody,
        "failStrategy": null,
        "match": null,
        "phase": null,
        "pluginConfig": {"control_plane_address": address},
    });
    plugin(world, "demo", "wrong", wrong).await?;
    let closed = json!({"selector": nobody, "failStrategy": "FAIL_CLOSE", "pluginConfig": null});
    plugin(world, "demo", "closed", closed).await?;
    let target = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gatway"});
    let mistyped = json!({"match": null, "targetRefs": [target], "sha256": "0".repeat(64)});
    plugin(world, "demo", "mistyped", mistyped).await?;
    plugin(world, "boifi", "own", json!({"selector": nobody})).await?;
    finds(
        world,
        "plugins with mistakes",
        &[
            [
                "WasmPlugin demo/wrong",
                "denies all traffic of a proxy whose module fails",
                "failStrategy: FAIL_OPEN",
            ],
            [
                "WasmPlugin demo/wrong",
                "runs on inbound and outbound listeners alike",
                "match: [{mode: SERVER}]",
            ],
            ["WasmPlugin demo/wrong", "before authorisation", "phase: STATS"],
            ["WasmPlugin demo/wrong", "asks other.boifi.svc.cluster.local:8080", "control_plane_address"],
            [
                "WasmPlugin demo/closed",
                "denies all traffic of a proxy whose module fails",
                "failStrategy: FAIL_OPEN",
            ],
            ["WasmPlugin demo/closed", "has no `control_plane_address`", "hfi-control-plane.boifi"],
            ["WasmPlugin demo/mistyped", "Gateway demo/gatway, which has no pod", "correct the name"],
            [
                "WasmPlugin demo/mistyped",
                "`url` names another module than its `sha256`",
                "the digest of the module",
            ],
            ["WasmPlugin boifi/own", "is for the proxies of the control plane", "remove it"],
        ],
    )
    .await?;
    types(world, "kubectl -n demo delete wasmplugins wrong closed mistyped").await?;
    types(world, "kubectl -n boifi delete wasmplugin own").await?;
    Ok(())
}

/// Two that run in the same proxies.
pub(crate) async fn overlap(world: &World) -> Result<()> {
    plugin(world, "istio-system", "everywhere", json!({})).await?;
    let frontend = json!({"selector": {"matchLabels": {"app": "frontend"}}});
    plugin(world, "demo", "again", frontend).await?;
    finds(
        world,
        "plugins that overlap",
        &[
            ["WasmPlugin istio-system/everywhere", "is for every proxy of the mesh", "move it"],
            ["WasmPlugin demo/again", "and demo/hfi-inbound both run in Pod demo/frontend", "do not overlap"],
        ],
    )
    .await?;
    types(world, "kubectl -n demo delete wasmplugin again").await?;
    types(world, "kubectl -n istio-system delete wasmplugin everywhere").await?;
    Ok(())
}
