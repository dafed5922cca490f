//! The manifests are admitted as they are: by the API server with its checks of Pods and of unknown fields, and by
//! istiod, which checks and injects.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::paths;
use serde_json::Value;
use world::World;

const PATIENCE: Duration = Duration::from_secs(60);

/// What `kubectl apply -k` installs, with its namespace.
const TARGETS: [(&str, &str); 8] = [
    ("k8s/overlays/default", "boifi"),
    ("k8s/overlays/ambient", "boifi"),
    ("k8s/overlays/sidecar", "boifi"),
    ("k8s/overlays/oci", "demo"),
    ("k8s/plugin/sidecar", "demo"),
    ("k8s/plugin/waypoint", "demo"),
    ("k8s/plugin/gateway", "demo"),
    ("k8s/plugin/mesh", "istio-system"),
];

pub(super) async fn are_admitted(world: &mut World) -> Result<()> {
    for (target, namespace) in TARGETS {
        let path = paths::workspace().join(target).display().to_string();
        world.kubectl(&["apply", "--namespace", namespace, "--kustomize", &path]).await?;
        if target.starts_with("k8s/overlays") && namespace == "boifi" {
            world.wait_for("a Pod of the control plane", PATIENCE, has_pods).await?;
            let is_in_mesh = target == "k8s/overlays/sidecar";
            ensure!(pods(world).await?.iter().any(has_sidecar) == is_in_mesh, "{target}");
        }
    }
    Ok(())
}

/// The ReplicaSet controller has made a Pod of the newest kind, and was allowed to.
async fn has_pods(world: &World) -> Result<()> {
    let found = get(world, "deployment/hfi-control-plane").await?;
    let number = |place| found.pointer(place).and_then(Value::as_u64);
    let is_seen = number("/status/observedGeneration") == number("/metadata/generation");
    let is_made = number("/status/updatedReplicas").is_some_and(|count| count > 0);
    ensure!(is_seen && is_made, "{found}");
    Ok(())
}

async fn pods(world: &World) -> Result<Vec<Value>> {
    let found = get(world, "pods").await?;
    Ok(found.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default())
}

async fn get(world: &World, what: &str) -> Result<Value> {
    let found = world.kubectl(&["get", what, "--namespace=boifi", "--output=json"]).await?;
    Ok(serde_json::from_str(&found)?)
}

/// A sidecar is a container, or an init container that goes on (as Istio makes it by default today).
fn has_sidecar(pod: &Value) -> bool {
    let containers = ["/spec/containers", "/spec/initContainers"].map(|list| pod.pointer(list));
    let mut all = containers.into_iter().flatten().filter_map(Value::as_array).flatten();
    all.any(|container| container.get("name").is_some_and(|name| name == "istio-proxy"))
}
