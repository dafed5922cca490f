//! What several tests need.

mod caller;
pub(crate) mod faults;
pub(crate) mod overlay;
pub(crate) mod plugins;
pub(crate) mod pods;
pub(crate) mod polls;
pub(crate) mod proxy;
pub(crate) mod race;
pub(crate) mod registry;
pub(crate) mod release;
pub(crate) mod replicas;
pub(crate) mod traffic;
mod workload;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{GitHttp, Repository, paths};
use kubelet::{Images, Program};
use serde_json::{Value, json};
use world::World;

pub(crate) use caller::Caller;
use overlay::Overlay;
pub(crate) use workload::{gateway, merge, provider, service, waypoint, workload};

/// As long as a rollout with sidecars takes on two busy cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A world whose Pods can also run `example/workload`, which answers every request.
pub(crate) async fn start() -> Result<World> {
    start_with(Images::new()).await
}

/// The same with the Gateway API.
pub(crate) async fn start_with_gateways() -> Result<World> {
    let (pattern, program) = workload_image();
    World::start_with_gateways(Images::new().with(pattern, program)).await
}

/// A world whose Pods can also run these images.
pub(crate) async fn start_with(images: Images) -> Result<World> {
    let (pattern, program) = workload_image();
    World::start(images.with(pattern, program)).await
}

/// The images `example/workload`, which answer every request.
pub(crate) fn workload_image() -> (&'static str, Program) {
    ("example/workload:*", Program::at("/workload", env!("CARGO_BIN_EXE_workload")))
}

/// Serves the policies where the control plane looks for them, as Pods see it.
pub(crate) async fn serve(world: &World, policies: &Repository) -> Result<GitHttp> {
    GitHttp::start_at(policies.folder(), (world.address(), 80).into()).await
}

/// Deploys the control plane as `overlay` of `k8s/overlays` says, for policies that are served.
pub(crate) async fn deploy(world: &World, overlay: &str) -> Result<()> {
    control_plane(overlay)?.apply(world, None).await?;
    roll_out(world, "boifi", "hfi-control-plane").await
}

/// The control plane as an overlay of `k8s/overlays` says, for policies that are served.
pub(crate) fn control_plane(overlay: &str) -> Result<Overlay> {
    let settings = ["HFI_REPO=http://git.example/policies.git", "HFI_INTERVAL=1s"];
    let generator = json!([{
        "name": "hfi-control-plane-env",
        "namespace": "boifi",
        "behavior": "merge",
        "literals": settings,
    }]);
    let directory = format!("k8s/overlays/{overlay}");
    Ok(Overlay::of("control-plane", &directory)?.with("configMapGenerator", generator))
}

/// Makes a Deployment of `example/workload` and a Service of the same name, and waits until its Pods are ready.
pub(crate) async fn run_workload(world: &World, namespace: &str, name: &str) -> Result<()> {
    apply_workload(world, namespace, name).await?;
    roll_out(world, namespace, name).await
}

/// The same without waiting.
pub(crate) async fn apply_workload(world: &World, namespace: &str, name: &str) -> Result<()> {
    world.apply(&workload(namespace, name)).await
}

/// The same for a Deployment that istiod makes of a Gateway.
pub(crate) async fn roll_out_gateway(world: &World, namespace: &str, name: &str) -> Result<()> {
    let (deployment, patience) = (format!("deployment/{name}"), format!("{}s", PATIENCE.as_secs()));
    let made = ["wait", "--for=create", &deployment, "--namespace", namespace, "--timeout", &patience];
    world.kubectl(&made).await?;
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
    let mut words = vec!["get", "--namespace", namespace, "--output=json"];
    words.extend(what.split(' '));
    let found = world.kubectl(&words).await?;
    serde_json::from_str(&found).context("kubectl prints no JSON")
}

/// The address of a Service.
pub(crate) async fn address(world: &World, namespace: &str, name: &str) -> Result<SocketAddr> {
    let service = get(world, namespace, &format!("service/{name}")).await?;
    let address =
        service.pointer("/spec/clusterIP").and_then(|address| address.as_str()).context("no ClusterIP")?;
    Ok(SocketAddr::new(address.parse()?, 80))
}

/// Installs what a directory of the repository says into a namespace.
pub(crate) async fn install(world: &World, namespace: &str, directory: &str) -> Result<()> {
    let directory = paths::workspace().join(directory).display().to_string();
    world.kubectl(&["apply", "--namespace", namespace, "--kustomize", &directory]).await?;
    Ok(())
}
