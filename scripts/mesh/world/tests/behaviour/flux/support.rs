//! What tests with Flux need.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use harness::Deadline;
use kubelet::{Images, Program};
use serde_json::Value;
use world::{FluxWorld, Link};

use crate::support::workload_image;

/// As long as a stack takes on two busy cores.
const PATIENCE: Duration = Duration::from_secs(360);

/// A look starts a kubectl, and costs the API server something.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// A world with Flux.
pub(super) async fn start() -> Result<FluxWorld> {
    let workload = Program::at("/home/app/podinfo", env!("CARGO_BIN_EXE_workload"));
    let workload = workload.working_directory("/home/app");
    let (pattern, program) = workload_image();
    let images = Images::new().with("stefanprodan/podinfo:*", workload).with(pattern, program);
    let world = FluxWorld::start(images, Path::new(env!("CARGO_BIN_EXE_cert-manager"))).await?;
    Ok(world)
}

/// Gives Flux the settings of an operator.
pub(super) async fn settings(world: &FluxWorld, settings: &[&str]) -> Result<()> {
    // The filter that makes Istio's metrics is in Istio's own Envoy only.
    let all = ["ISTIO_TELEMETRY_ENABLED=false"].iter().chain(settings);
    let settings: Vec<_> = all.map(|setting| format!("--from-literal={setting}")).collect();
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    let create = ["create", "configmap", "hfi-settings", "--namespace=flux-system"];
    world.kubectl(&[&create[..], &settings].concat()).await?;
    let label = "reconcile.fluxcd.io/watch=Enabled";
    world.kubectl(&["label", "configmap", "hfi-settings", "--namespace=flux-system", label]).await.map(drop)
}

/// Applies the beginning of a cluster, as `flux/README.md` says.
pub(super) async fn apply(world: &FluxWorld, cluster: &str) -> Result<()> {
    let directory = world.platform().work().join("flux/clusters").join(cluster);
    world.kubectl(&["apply", "--kustomize", &directory.display().to_string()]).await.map(drop)
}

/// Waits until every link has applied the newest commit and is ready.
pub(super) async fn until_ready(world: &mut FluxWorld) -> Result<()> {
    let head = head(world).await?;
    let began = Instant::now();
    let mut times: BTreeMap<String, Duration> = BTreeMap::new();
    until(world, "every link to be ready", async |world| {
        let links = world.links().await?;
        // The CRDs of the Gateway API have a repository of their own.
        let is_done = |link: &&Link| {
            link.is_ready && (link.name == "hfi-gateway-api" || link.revision.ends_with(&head))
        };
        let (done, rest): (Vec<_>, Vec<_>) = links.iter().partition(is_done);
        for link in &rest {
            times.remove(&link.name);
        }
        for link in done {
            times.entry(link.name.clone()).or_insert_with(|| began.elapsed());
        }
        ensure!(links.len() > 1 && rest.is_empty(), "{rest:#?}");
        Ok(())
    })
    .await?;
    println!("ready: {times:.1?}");
    Ok(())
}

/// Waits until a link, and so each before it, has applied the newest commit and is ready.
pub(super) async fn until_followed(world: &mut FluxWorld, name: &str) -> Result<()> {
    let head = head(world).await?;
    until(world, "a link to follow", async |world| {
        let link = link(world, name).await?;
        ensure!(link.is_ready && link.revision.ends_with(&head), "{link:?}");
        Ok(())
    })
    .await
}

/// The newest commit.
async fn head(world: &FluxWorld) -> Result<String> {
    Ok(world.platform().git(&["rev-parse", "HEAD"]).await?.trim().to_owned())
}

/// Looks again and again until `look` succeeds.
pub(super) async fn until(
    world: &mut FluxWorld,
    what: &'static str,
    mut look: impl AsyncFnMut(&FluxWorld) -> Result<()>,
) -> Result<()> {
    let deadline = Deadline::of(what, PATIENCE);
    loop {
        let began = Instant::now();
        let Err(error) = look(world).await else { return Ok(()) };
        world.still_runs()?;
        // What a look costs is kept from the programs that are waited for.
        tokio::time::sleep(began.elapsed().max(BETWEEN_LOOKS)).await;
        deadline.pause().await.context(error)?;
    }
}

/// A link by its name.
pub(super) async fn link(world: &FluxWorld, name: &str) -> Result<Link> {
    let links = world.links().await?;
    links.into_iter().find(|link| link.name == name).with_context(|| format!("no link {name}"))
}

/// An object of the cluster.
pub(super) async fn get(world: &FluxWorld, object: &str, namespace: &str) -> Result<Value> {
    let found = world.kubectl(&["get", object, "--namespace", namespace, "--output=json"]).await?;
    serde_json::from_str(&found).context("kubectl prints no JSON")
}

/// The address of a Service.
pub(super) async fn address(world: &FluxWorld, name: &str, namespace: &str) -> Result<String> {
    let service = get(world, &format!("service/{name}"), namespace).await?;
    Ok(service.pointer("/spec/clusterIP").and_then(Value::as_str).context("no address")?.to_owned())
}

/// Replaces a text, which must be there, in a file of the clone.
pub(super) fn edit(world: &FluxWorld, file: &str, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(world.platform().work().join(file))?;
    ensure!(text.contains(from), "{file} has no {from:?}");
    world.platform().write(file, &text.replace(from, to))
}

/// Commits and pushes what was edited, and tells Flux, as a webhook would.
pub(super) async fn push(world: &FluxWorld, message: &str) -> Result<()> {
    world.platform().push(message).await?;
    reconcile_source(world).await
}

/// Has Flux look at the repositories now.
pub(super) async fn reconcile_source(world: &FluxWorld) -> Result<()> {
    reconcile(world, &["gitrepositories", "--all"], "flux-system").await
}

/// Has Flux look at objects now, as `flux reconcile` does.
pub(super) async fn reconcile(world: &FluxWorld, objects: &[&str], namespace: &str) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    let request = format!("reconcile.fluxcd.io/requestedAt={now}");
    let annotate = ["annotate", "--overwrite", "--namespace", namespace];
    world.kubectl(&[&annotate[..], objects, &[&request]].concat()).await.map(drop)
}
