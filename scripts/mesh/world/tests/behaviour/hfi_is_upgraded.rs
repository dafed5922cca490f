//! From the last release to this one and back, in the order of the docs, under load: no request fails, and no proxy
//! stays without its filter, also one that starts in the middle.
//!
//! `HFI_LAST_BIN` and `HFI_LAST_FILTER` name the files of a real last release, as `scripts/last-release` builds them.
//! Without them the last release is this one, with a module of other bytes: that shows the exchange itself, and not that
//! the two releases understand each other. The tests of the wire format show that.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{HFI_ADDRESS, Repository, module_at, paths, wasm_plugin};
use kubelet::Images;
use policies::Digest;
use serde_json::json;
use world::{World, hfi_image};

use crate::support::overlay::Overlay;
use crate::support::pods::{address, pods};
use crate::support::polls::all_poll;
use crate::support::proxy::runs_module;
use crate::support::traffic::Traffic;
use crate::support::{PATIENCE, control_plane, roll_out, run_workload, serve, start_with};

const NAMESPACE: &str = "demo";

const POLICY: &str = "\
metadata: {name: half}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - match: {path: {regex: \"^/.*\"}}
      fault: {percentage: 50, abort: {httpStatus: 503}}
";

/// The longest time without a fault. A new module first polls within a second.
const LULL: Duration = Duration::from_secs(5);

/// A section that a runtime ignores: it has the name `last` and nothing in it.
const SECTION: [u8; 7] = [0, 5, 4, b'l', b'a', b's', b't'];

/// A release: what an image needs.
struct Release {
    tag: &'static str,
    binary: PathBuf,
    module: PathBuf,
}

#[tokio::test]
async fn and_no_request_fails() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("hfi-upgrade-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let shown = shown(&directory).await;
    fs::remove_dir_all(&directory)?;
    shown
}

async fn shown(directory: &std::path::Path) -> Result<()> {
    let last = last_release(directory)?;
    let next = Release { tag: "next", binary: paths::hfi()?, module: paths::filter()? };
    let image = async |release: &Release| {
        hfi_image(&directory.join(release.tag), &release.binary, &release.module, &last.module).await
    };
    let images = Images::new()
        .with("localhost/hfi:last", image(&last).await?)
        .with("localhost/hfi:next", image(&next).await?);
    let mut world = start_with(images).await?;
    let policies = Repository::new().await?;
    let _git = serve(&world, &policies).await?;
    policies.write("half.yaml", POLICY)?;
    policies.push("Break half of the frontend").await?;
    world.kubectl(&["create", "namespace", NAMESPACE]).await?;
    world.kubectl(&["label", "namespace", NAMESPACE, "istio-injection=enabled"]).await?;
    serve_release(&mut world, &last).await?;
    plug(&world, &last).await?;
    for name in ["frontend", "backend"] {
        run_workload(&world, NAMESPACE, name).await?;
    }
    run_release(&mut world, &last, 2).await?;

    let mut addresses = Vec::new();
    for name in ["frontend", "backend"] {
        let pod = pods(&world, NAMESPACE, Some(name)).await?.pop().context("no Pod")?;
        addresses.push(address(&pod, 8080)?);
    }
    let [frontend, backend] = addresses[..] else { anyhow::bail!("two workloads have {addresses:?}") };
    let traffic = Traffic::to(&addresses)?;

    let begun = Instant::now();
    serve_release(&mut world, &next).await?;
    // Proxies that run the module of the last release keep it. A new one needs it from the new server.
    run_workload(&world, NAMESPACE, "newcomer").await?;
    run_release(&mut world, &last, 3).await?;
    plug(&world, &next).await?;
    run_release(&mut world, &next, 3).await?;
    println!("upgraded in {:?}", begun.elapsed());
    traffic.failed_nowhere(&addresses, begun)?;

    let back = Instant::now();
    plug(&world, &last).await?;
    run_release(&mut world, &last, 3).await?;
    serve_release(&mut world, &last).await?;
    all_poll(&mut world, NAMESPACE, 3, PATIENCE).await?;
    println!("rolled back in {:?}", back.elapsed());
    traffic.failed_nowhere(&addresses, begun)?;
    traffic.was_spared(backend)?;
    let lull = traffic.longest_without_fault(frontend, begun);
    println!("at most {lull:?} without a fault");
    ensure!(lull < LULL, "the policy was out of force for {lull:?}");
    world.end().await
}

/// Deploys the control plane of a release, and waits for it.
async fn serve_release(world: &mut World, release: &Release) -> Result<()> {
    let images = json!([{"name": "localhost/hfi", "newTag": release.tag}]);
    control_plane("default")?.with("images", images).apply(world, None).await?;
    roll_out(world, "boifi", "hfi-control-plane").await
}

/// Names the module of a release in the plugins.
async fn plug(world: &World, release: &Release) -> Result<()> {
    let plugin = wasm_plugin("hfi", module_at(HFI_ADDRESS, &digest(release)?));
    Overlay::of("plugin", "k8s/plugin/sidecar")?
        .with_plugin(plugin.to_string())
        .apply(world, Some(NAMESPACE))
        .await
}

/// Waits until every proxy, of which there must be so many, runs the module of a release, and polls.
async fn run_release(world: &mut World, release: &Release, number: usize) -> Result<()> {
    let (begun, digest) = (Instant::now(), digest(release)?);
    world
        .wait_for("every proxy to run the module", PATIENCE, async |world| {
            for pod in pods(world, NAMESPACE, None).await? {
                ensure!(
                    runs_module(world, &pod, &digest).await?,
                    "{:?} runs another module",
                    pod.metadata.name
                );
            }
            Ok(())
        })
        .await?;
    all_poll(world, NAMESPACE, number, PATIENCE).await?;
    println!("every proxy runs the module of `{}` and polls after {:?}", release.tag, begun.elapsed());
    Ok(())
}

fn last_release(directory: &std::path::Path) -> Result<Release> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let module = match named("HFI_LAST_FILTER") {
        Some(module) => module,
        None => {
            let module = directory.join("last.wasm");
            fs::write(&module, [fs::read(paths::filter()?)?.as_slice(), &SECTION].concat())?;
            module
        }
    };
    let binary = named("HFI_LAST_BIN").map_or_else(paths::hfi, Ok)?;
    Ok(Release { tag: "last", binary, module })
}

fn digest(release: &Release) -> Result<String> {
    let digest = Digest::of(&fs::read(&release.module)?).to_string();
    Ok(digest.trim_start_matches("sha256:").to_owned())
}
