//! With the module in an OCI registry, Pods start as fast without hfi as with it, and get their faults once it is
//! there. With the module from hfi itself, its absence holds up the start of every Pod, and no longer than the docs say.

use std::ops::Range;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use harness::{Answer, Client, Repository, Request, first, paths, wasm_plugin};
use policies::Digest;
use serde_json::json;
use tokio::process::Command;
use world::World;

use crate::support::overlay::Overlay;
use crate::support::pods::{address, is_ready, pods};
use crate::support::registry::Registry;
use crate::support::{PATIENCE, apply_workload, deploy, serve, start};

const POLICY: &str = "\
metadata: {name: first-fault}
spec:
  selector: {service: frontend, namespace: oci}
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";

/// An address that swallows everything, as that of a node that is gone.
const NOWHERE: &str = "10.111.254.254";

/// Where agents look for the module, and by how much that makes a start longer, in seconds: no such Service; a Service
/// without Pods, whose refusals Linux limits to about one a second; a Service whose Pod does not answer.
const ABSENCES: [(&str, Range<f64>); 3] =
    [("unknown", 3.0..20.0), ("refused", 3.0..30.0), ("dead", 25.0..42.0)];

#[tokio::test]
async fn and_pods_start_without_hfi() -> Result<()> {
    let mut world = start().await?;
    let registry = Registry::start(&world).await?;
    let policies = Repository::new().await?;
    let _git = serve(&world, &policies).await?;
    policies.write("first-fault.yaml", POLICY)?;
    policies.push("Break the frontend").await?;

    namespace(&world, "oci", &Overlay::of("oci", "k8s/overlays/oci")?.with_plugin(registry.push().await?))
        .await?;
    lay_false_tracks(&world).await?;
    for (name, _) in ABSENCES {
        let overlay = Overlay::of(name, "k8s/plugin/sidecar")?.with_plugin(module_at(name)?);
        namespace(&world, name, &overlay).await?;
    }
    let namespaces = ["oci"].into_iter().chain(ABSENCES.map(|(name, _)| name));
    let begun = Instant::now();
    for namespace in namespaces.clone() {
        apply_workload(&world, namespace, "frontend").await?;
    }

    let usual = ready(&mut world, "oci").await? - begun;
    println!("a Pod starts with the module from a registry, without hfi: {usual:?}");
    let frontend = pods(&world, "oci", Some("frontend")).await?.pop().context("no Pod")?;
    let (frontend, client, request) = (address(&frontend, 8080)?, Client::new()?, Request::get("/"));
    ensure!(client.send(frontend, &request).await?.status == 200, "there is no hfi to ask for faults");

    deploy(&world, "default").await?;
    let deployed = Instant::now();
    let faulted = first(&client, frontend, &request, Answer::aborted).await?;
    println!("from the rollout of hfi to the first fault: {:?}", faulted - deployed);

    for (name, longer) in ABSENCES {
        let took = ready(&mut world, name).await? - begun;
        println!("a Pod starts with the module from hfi, which is {name}: {took:?}");
        let more = took.saturating_sub(usual).as_secs_f64();
        ensure!(longer.contains(&more), "{name}: {more} s more than the usual {usual:?}");
        let pod = pods(&world, name, Some("frontend")).await?.pop().context("no Pod")?;
        let answer = client.send(address(&pod, 8080)?, &request).await?;
        ensure!(answer.status == 200, "{name}: {} though FAIL_OPEN", answer.status);
    }
    world.end().await
}

/// Makes a namespace with sidecars and a plugin.
async fn namespace(world: &World, name: &str, plugin: &Overlay) -> Result<()> {
    world.kubectl(&["create", "namespace", name]).await?;
    world.kubectl(&["label", "namespace", name, "istio-injection=enabled"]).await?;
    plugin.apply(world, Some(name)).await
}

/// The Services of which one has no Pod, and the other one that does not answer.
async fn lay_false_tracks(world: &World) -> Result<()> {
    let route = ["route", "add", "blackhole", NOWHERE];
    ensure!(Command::new("ip").args(route).status().await?.success(), "no route to nowhere");
    let service = |name: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"ports": [{"name": "http", "port": 8080}]},
        })
    };
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "dead",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "dead"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [NOWHERE], "conditions": {"ready": true}}],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    });
    world.apply(&[service("refused"), service("dead"), slice]).await
}

/// The module as hfi serves it, at another Service.
fn module_at(service: &str) -> Result<String> {
    let digest = Digest::of(&std::fs::read(paths::filter()?)?).to_string();
    let digest = digest.trim_start_matches("sha256:");
    let address = format!("{service}.default.svc.cluster.local:8080");
    Ok(wasm_plugin("hfi", harness::module_at(&address, digest)).to_string())
}

/// Waits until the Pod of a namespace is ready, and tells when that was.
async fn ready(world: &mut World, namespace: &'static str) -> Result<Instant> {
    world
        .wait_for("a Pod to be ready", PATIENCE, async |world| {
            let pods = pods(world, namespace, Some("frontend")).await?;
            ensure!(pods.iter().any(is_ready), "{namespace} has no Pod that is ready");
            Ok(Instant::now())
        })
        .await
}
