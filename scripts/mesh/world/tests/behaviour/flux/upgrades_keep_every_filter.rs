//! An upgrade and its revert, with the image in the settings and the plugins in Git: whichever comes first, every proxy
//! has its filter in the end, also one that starts in the middle. These are the rows of the table in
//! `flux/README.md`.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use harness::{Client, Request};
use serde_json::{Value, json};
use world::FluxWorld;

use super::existing_mesh::{IMAGE, NAMESPACE, Releases};
use super::support::{edit, get, link, push, reconcile_source, until, until_ready};
use crate::support::PATIENCE;
use crate::support::faults::Faults;
use crate::support::plugins::module;
use crate::support::pods::{address, is_ready, pods};
use crate::support::polls::all_poll;
use crate::support::proxy::runs_module;

/// The files that name the module.
const NAMED_IN: [&str; 2] = ["flux/components/hfi/module/deployment.yaml", "k8s/plugin/module/module.yaml"];

pub(super) async fn step(world: &mut FluxWorld, releases: &Releases, faults: &Faults) -> Result<()> {
    let Releases { last, next } = releases;

    let began = Instant::now();
    set_image(world, "next").await?;
    until_served(world, "next").await?;
    name_module(world, last, next).await?;
    until_ready(world).await?;
    all_run(world, next, 1).await?;
    println!("forward, the image first: {:?}", began.elapsed());

    let began = Instant::now();
    set_image(world, "last").await?;
    until_held_up(world, next).await?;
    revert(world).await?;
    scale(world, 2).await?;
    until_ready(world).await?;
    all_run(world, last, 2).await?;
    scale(world, 1).await?;
    println!("back, the image first: {:?}", began.elapsed());
    faults.until_lasting("the fault after the image went back first", PATIENCE).await?;

    let began = Instant::now();
    name_module(world, last, next).await?;
    until_held_up(world, next).await?;
    ensure!(module(world.world(), NAMESPACE).await? == *last, "a plugin names a module that nobody has");
    ensure!(faults.changes_after(began).is_empty(), "a commit without its image takes the filter away");
    set_image(world, "next").await?;
    until_ready(world).await?;
    all_run(world, next, 1).await?;
    println!("forward, the commit first: {:?}", began.elapsed());

    let began = Instant::now();
    revert(world).await?;
    until_ready(world).await?;
    all_run(world, last, 1).await?;
    set_image(world, "last").await?;
    until_served(world, "last").await?;
    all_run(world, last, 1).await?;
    println!("back, the commit first: {:?}", began.elapsed());
    faults.until_lasting("the fault in the end", PATIENCE).await.map(drop)
}

/// Writes the image into the settings.
pub(super) async fn set_image(world: &FluxWorld, tag: &str) -> Result<()> {
    let patch = json!({"data": {"HFI_IMAGE": format!("{IMAGE}:{tag}")}}).to_string();
    let words = ["patch", "configmap", "hfi-settings", "--namespace=flux-system", "--patch", &patch];
    world.kubectl(&words).await.map(drop)
}

/// Pushes manifests that name another module.
pub(super) async fn name_module(world: &FluxWorld, from: &str, to: &str) -> Result<()> {
    for file in NAMED_IN {
        edit(world, file, from, to)?;
    }
    push(world, "Name another module").await
}

/// Takes the last commit back.
pub(super) async fn revert(world: &FluxWorld) -> Result<()> {
    world.platform().git(&["revert", "--no-edit", "HEAD"]).await?;
    world.platform().git(&["push", "--quiet", "origin", "main"]).await?;
    reconcile_source(world).await
}

/// Waits until all replicas are of an image, and its link is ready.
async fn until_served(world: &mut FluxWorld, tag: &str) -> Result<()> {
    let image = format!("{IMAGE}:{tag}");
    until(world, "the replicas to have the image", async |world| {
        let deployment = get(world, "deployment/hfi-control-plane", "boifi").await?;
        let number = |field: &str| deployment.pointer(field).and_then(Value::as_u64);
        let named = deployment.pointer("/spec/template/spec/containers/0/image");
        ensure!(named.is_some_and(|named| *named == image), "{named:?}");
        ensure!(number("/status/observedGeneration") == number("/metadata/generation"));
        let of = ["replicas", "updatedReplicas", "availableReplicas"];
        let counts = of.map(|field| number(&format!("/status/{field}")));
        ensure!(counts.iter().all(|count| *count == Some(2)), "{counts:?}");
        let link = link(world, "hfi").await?;
        ensure!(link.is_ready, "{link:?}");
        Ok(())
    })
    .await
}

/// Waits until a new replica runs, and does not get ready for want of a module; the old ones go on serving.
pub(super) async fn until_held_up(world: &mut FluxWorld, digest: &str) -> Result<()> {
    let client = Client::new()?;
    until(world, "a replica without the module", async |world| {
        let replicas = pods(world.world(), "boifi", None).await?;
        let unready = replicas.iter().find(|pod| !is_ready(pod)).context("every replica is ready")?;
        let module = Request::get(&format!("/filter/{digest}.wasm"));
        let answer = client.send(address(unready, 8080)?, &module).await?;
        ensure!(answer.status == 503, "{answer:?}");
        Ok(())
    })
    .await?;
    let stuck = link(world, "hfi").await?;
    ensure!(!stuck.is_ready, "{stuck:?}");
    let deployment = get(world, "deployment/hfi-control-plane", "boifi").await?;
    let ready = deployment.pointer("/status/readyReplicas").and_then(Value::as_u64);
    ensure!(ready == Some(2), "the old replicas are gone: {deployment}");
    Ok(())
}

/// Waits until every proxy, of which there must be so many, runs the module and polls.
async fn all_run(world: &mut FluxWorld, digest: &str, number: usize) -> Result<()> {
    until(world, "every proxy to run the module", async |world| {
        for pod in pods(world.world(), NAMESPACE, None).await? {
            ensure!(runs_module(world.world(), &pod, digest).await?, "{:?} runs another", pod.metadata.name);
        }
        Ok(())
    })
    .await?;
    all_poll(world.world_mut(), NAMESPACE, number, PATIENCE).await.map(drop)
}

async fn scale(world: &FluxWorld, replicas: usize) -> Result<()> {
    let replicas = format!("--replicas={replicas}");
    world.kubectl(&["scale", "deployment/frontend", "--namespace", NAMESPACE, &replicas]).await.map(drop)
}
