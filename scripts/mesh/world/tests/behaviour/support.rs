//! What several tests need.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{GitHttp, Repository, paths};
use kubelet::{Images, Program};
use serde_json::{Value, json};
use world::World;

/// As long as a rollout with sidecars takes on two busy cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A world whose Pods can also run `example/workload`, which answers every request.
pub(crate) async fn start() -> Result<World> {
    let workload = Program::at("/workload", env!("CARGO_BIN_EXE_workload"));
    World::start(Images::new().with("example/workload:*", workload)).await
}

/// Serves the policies where the control plane looks for them, as Pods see it.
pub(crate) async fn serve(world: &World, policies: &Repository) -> Result<GitHttp> {
    GitHttp::start_at(policies.folder(), (world.address(), 80).into()).await
}

/// Deploys the control plane as `overlay` of `k8s/overlays` says, for policies that are served.
pub(crate) async fn deploy(world: &World, overlay: &str) -> Result<()> {
    let directory = world.directory().join("overlay");
    fs::create_dir_all(&directory)?;
    let (here, there) =
        (directory.canonicalize()?, paths::workspace().join("k8s/overlays").join(overlay).canonicalize()?);
    // Kustomize takes relative paths only.
    let up = "../".repeat(here.components().count() - 1);
    let settings = ["HFI_REPO=http://git.example/policies.git", "HFI_INTERVAL=1s"];
    let kustomization = json!({
        "resources": [format!("{up}{}", there.display().to_string().trim_start_matches('/'))],
        "configMapGenerator": [{
            "name": "hfi-control-plane-env",
            "namespace": "boifi",
            "behavior": "merge",
            "literals": settings,
        }],
    });
    fs::write(here.join("kustomization.yaml"), kustomization.to_string())?;
    world.kubectl(&["apply", "--kustomize", &here.display().to_string()]).await?;
    roll_out(world, "boifi", "hfi-control-plane").await
}

/// Makes a Deployment of `example/workload` and a Service of the same name, and waits until its Pods are ready.
pub(crate) async fn run_workload(world: &World, namespace: &str, name: &str) -> Result<()> {
    let labels = json!({"app": name});
    let container =
        json!({"name": "workload", "image": "example/workload:1", "ports": [{"containerPort": 8080}]});
    world
        .apply(&[
            json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
                },
            }),
            json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
            }),
        ])
        .await?;
    roll_out(world, namespace, name).await
}

/// Waits until all Pods of a Deployment are of its newest kind and ready.
pub(crate) async fn roll_out(world: &World, namespace: &str, name: &str) -> Result<()> {
    let deployment = format!("deployment/{name}");
    let timeout = format!("--timeout={}s", PATIENCE.as_secs());
    let outcome =
        world.kubectl(&["rollout", "status", &deployment, "--namespace", namespace, &timeout]).await;
    if let Err(error) = outcome {
        let pods = world.kubectl(&["get", "pods", "--namespace", namespace, "--output=yaml"]).await?;
        return Err(error.context(pods));
    }
    Ok(())
}

/// An object of the cluster.
pub(crate) async fn get(world: &World, namespace: &str, what: &str) -> Result<Value> {
    let found = world.kubectl(&["get", what, "--namespace", namespace, "--output=json"]).await?;
    serde_json::from_str(&found).context("kubectl prints no JSON")
}
