//! With `k8s/components/healing`, proxies that lost their filter, or never got it, since their plugin names a module that
//! no replica has yet, have it within a minute after the replicas that have it. Nobody does anything, and the plugins
//! of proxies that are well are not touched.

mod one_of_two;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::Repository;
use kubelet::Images;
use serde_json::Value;
use world::World;

use crate::support::faults::{EVERY_FRONTEND, frontend};
use crate::support::plugins::{module, name_module, namespace_with_plugins, versions, were_sent_again};
use crate::support::release::next_release;
use crate::support::replicas::{ask_all, proxies};
use crate::support::{PATIENCE, control_plane, get, roll_out, serve, start_with};

const TYPO: &str = "\
metadata: {name: typo}
spec:
  selector: {service: fronted, namespace: well}
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn after_an_upgrade_in_the_wrong_order() -> Result<()> {
    let images = tempfile::tempdir()?;
    let (next, image) = next_release(images.path()).await?;
    let mut world = start_with(Images::new().with("localhost/hfi:next", image)).await?;
    let policies = Repository::new().await?;
    let _git = serve(&world, &policies).await?;
    policies.write("every-frontend.yaml", EVERY_FRONTEND)?;
    policies.write("typo.yaml", TYPO)?;
    policies.push("Break every frontend").await?;
    control_plane("default")?.with_component("k8s/components/healing")?.apply(&world, None).await?;
    roll_out(&world, "boifi", "hfi-control-plane").await?;
    for namespace in ["well", "early", "alone"] {
        namespace_with_plugins(&world, namespace).await?;
    }
    let present = module(&world, "well").await?;
    let started = Instant::now();
    let well = frontend(&world, "well").await?;
    println!("a Pod with a plugin is ready after {:?}", started.elapsed());
    let early = frontend(&world, "early").await?;
    for faults in [&well, &early] {
        faults.until("the fault in a proxy that starts well", true, PATIENCE).await?;
    }
    let (untouched, began) = (versions(&world, "well").await?, Instant::now());
    start_alone(&world).await?;

    // The plugin is changed before any replica has its module: a proxy that runs loses its filter, and one that starts
    // gets none.
    name_module(&world, "early", &next).await?;
    world.kubectl(&["scale", "deployment/frontend", "--namespace=early", "--replicas=2"]).await?;
    early.until("the loss of a filter whose module nobody has", false, PATIENCE).await?;
    is_named(&mut world, "early").await?;
    knows_the_nearest_name(&world).await?;
    ensure!(!were_sent_again(&world, "early").await?, "a plugin whose module nobody has is sent again");

    set_image(&world, "next").await?;
    let upgraded = Instant::now();
    let healed = early.until_lasting("the filter after the upgrade", PATIENCE).await?;
    println!("the filter is there {:?} after the replicas that have its module", healed - upgraded);
    ensure!(healed < upgraded + MINUTE, "it takes {:?}", healed - upgraded);
    world.wait_for("an Event", PATIENCE, async |world| is_told(world, "early").await).await?;

    // Both go back at once.
    let reverted = Instant::now();
    name_module(&world, "early", &present).await?;
    set_image(&world, "0.1.0").await?;
    ensure!(early.changes_after(reverted).is_empty(), "the revert takes the filter away");
    ensure!(well.changes_after(began).is_empty(), "a proxy that is well loses its filter");
    ensure!(versions(&world, "well").await? == untouched, "a plugin of proxies that are well is touched");

    one_of_two::comes_back(&mut world, "well", &well).await?;
    world.end().await
}

/// Starts a Pod while no replica runs.
async fn start_alone(world: &World) -> Result<()> {
    scale(world, 0).await?;
    let started = Instant::now();
    let alone = frontend(world, "alone").await?;
    println!("without a replica it is ready after {:?}", started.elapsed());
    alone.until("an answer without the fault, since there is no filter", false, PATIENCE).await?;
    scale(world, 2).await
}

async fn scale(world: &World, replicas: usize) -> Result<()> {
    let replicas = format!("--replicas={replicas}");
    world.kubectl(&["scale", "deployment/hfi-control-plane", "--namespace=boifi", &replicas]).await?;
    roll_out(world, "boifi", "hfi-control-plane").await
}

async fn set_image(world: &World, tag: &str) -> Result<()> {
    let image = format!("hfi=localhost/hfi:{tag}");
    world.kubectl(&["set", "image", "deployment/hfi-control-plane", "--namespace=boifi", &image]).await?;
    roll_out(world, "boifi", "hfi-control-plane").await
}

/// Waits until status, metric and the PolicySource name a proxy of a namespace, and no other one.
async fn is_named(world: &mut World, namespace: &str) -> Result<()> {
    let is_it = |silent: &Value| {
        let silent = silent.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_of = |one: &Value| {
            let pod = one.get("pod").and_then(Value::as_str).unwrap_or_default();
            one.get("namespace").is_some_and(|known| known == namespace)
                || pod.starts_with(&format!("{namespace}/"))
        };
        !silent.is_empty() && silent.iter().all(is_of)
    };
    let silent = async |world: &World| {
        let proxies = proxies(world).await?;
        ensure!(proxies.get("silent").is_some_and(is_it), "{proxies}");
        Ok(())
    };
    world.wait_for("the status to name the silent proxy", PATIENCE, silent).await?;
    let metrics = ask_all(world, "/metrics").await?;
    let is_counted = |line: &str| {
        line.strip_prefix("hfi_proxies_silent ").is_some_and(|count| ["1", "2"].contains(&count))
    };
    ensure!(metrics.iter().any(|text| text.lines().any(is_counted)), "{metrics:?}");
    let shown = async |world: &World| {
        let source = get(world, "boifi", "policysource/hfi-control-plane").await?;
        ensure!(source.pointer("/status/silentProxies").is_some_and(is_it), "{source}");
        Ok(())
    };
    world.wait_for("the PolicySource to name the silent proxy", PATIENCE, shown).await
}

async fn is_told(world: &World, namespace: &str) -> Result<()> {
    ensure!(were_sent_again(world, namespace).await?, "the plugins of {namespace} were not sent again");
    let events = get(world, "boifi", "events").await?;
    let events = events.pointer("/items").and_then(Value::as_array).context("no list")?;
    let is_it = |event: &Value| {
        let note = event.get("message").and_then(Value::as_str).unwrap_or_default();
        event.get("reason").is_some_and(|reason| reason == "PluginSentAgain")
            && note.contains(&format!("WasmPlugin {namespace}/hfi-inbound"))
            && note.contains(&format!("{namespace}/frontend-"))
    };
    ensure!(events.iter().any(is_it), "{events:?}");
    Ok(())
}

/// `noProxy` names the workload that the mistyped policy means, and accuses no other policy. The leader knows it first.
async fn knows_the_nearest_name(world: &World) -> Result<()> {
    let answers = ask_all(world, "/v1/policies/status").await?;
    let statuses = answers.iter().map(|answer| serde_json::from_str::<Value>(answer));
    let statuses = statuses.collect::<Result<Vec<_>, _>>()?;
    let leads = |status: &&Value| status.pointer("/kubernetes/leader").is_some_and(|leads| leads == true);
    let status = statuses.iter().find(leads).context("no replica leads")?;
    let policies = status.get("policies").and_then(Value::as_array).context("no policies")?;
    let no_proxy = |name: &str| {
        let policy = policies.iter().find(|policy| policy.get("name").is_some_and(|known| known == name));
        policy.and_then(|policy| policy.get("noProxy")).context("no such policy")
    };
    let nearest = no_proxy("typo")?.pointer("/nearest/0");
    ensure!(nearest.is_some_and(|nearest| nearest == "frontend.well"), "{status}");
    ensure!(no_proxy("everywhere")?.is_null(), "{status}");
    Ok(())
}
