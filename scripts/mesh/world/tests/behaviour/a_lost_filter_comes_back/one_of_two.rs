//! A proxy that lost the filter of one of its two plugins goes on polling by the other one, and has it back within two
//! minutes. The other plugin is left alone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use world::World;

use crate::support::faults::Faults;
use crate::support::plugins::{PLUGINS, module, was_sent_again};
use crate::support::pods::{name, pods};
use crate::support::race::lose;
use crate::support::replicas::ask_all;
use crate::support::{PATIENCE, get, proxy};

const TWO_MINUTES: Duration = Duration::from_secs(120);

/// `inbound` shows the faults of the plugin that is not lost.
pub(super) async fn comes_back(world: &mut World, namespace: &str, inbound: &Faults) -> Result<()> {
    let right = module(world, namespace).await?;
    let pod = pods(world, namespace, Some("frontend")).await?.pop().context("no Pod")?;
    let names_both = async |world: &World| names_both(world, namespace).await;
    world.wait_for("polls that name both plugins", PATIENCE, names_both).await?;
    let before = version(world, namespace).await?;

    let began = Instant::now();
    lose(world, &[(namespace, "hfi-outbound")], std::slice::from_ref(&pod)).await?;
    let is_lost = async |world: &World| {
        ensure!(!runs_outbound(world, &pod, &right).await?, "it runs");
        Ok(())
    };
    world.wait_for("the loss of one of two filters", PATIENCE, is_lost).await?;
    let lost = Instant::now();
    let is_back = async |world: &World| {
        ensure!(runs_outbound(world, &pod, &right).await?, "it does not run");
        Ok(())
    };
    world.wait_for("the one of two filters that was lost", TWO_MINUTES, is_back).await?;
    println!("one of two filters was lost, and is back after {:?}", lost.elapsed());
    ensure!(lost.elapsed() < TWO_MINUTES, "it takes {:?}", lost.elapsed());
    ensure!(was_sent_again(world, namespace, "hfi-outbound").await?, "it came back by itself");
    world.wait_for("an Event", PATIENCE, async |world| is_told(world, namespace, &pod).await).await?;
    world.wait_for("polls that name both plugins again", PATIENCE, names_both).await?;

    ensure!(inbound.changes_after(began).is_empty(), "the filter that was not lost is touched");
    ensure!(version(world, namespace).await? == before, "the plugin that was not lost is touched");
    Ok(())
}

/// The resource version of the plugin that is not lost.
async fn version(world: &World, namespace: &str) -> Result<Option<Value>> {
    let plugin = get(world, namespace, "wasmplugin/hfi-inbound").await?;
    Ok(plugin.pointer("/metadata/resourceVersion").cloned())
}

/// True if the filter that the proxy has for the plugin is the module, and not what takes its place.
async fn runs_outbound(world: &World, pod: &Pod, digest: &str) -> Result<bool> {
    let dump: Value = serde_json::from_str(&proxy::filters(world, pod).await?)?;
    let filters = dump.get("configs").and_then(Value::as_array).context("no filters in the configuration")?;
    let mut outbound = filters.iter().map(Value::to_string).filter(|text| text.contains("hfi-outbound"));
    let filter = outbound.next().context("no filter for the plugin")?;
    Ok(filter.contains(&format!("{digest}.wasm")))
}

/// Fails unless the filters of the namespace that poll say that both plugins run in their proxy.
async fn names_both(world: &World, namespace: &str) -> Result<()> {
    let answers = ask_all(world, "/v1/filters").await?;
    let answers = answers.iter().map(|answer| serde_json::from_str::<Value>(answer));
    let answers = answers.collect::<Result<Vec<_>, _>>()?;
    let filters = answers.iter().filter_map(|answer| answer.get("filters")?.as_array()).flatten();
    let is = |filter: &Value, key: &str, value: &str| filter.get(key).is_some_and(|known| known == value);
    let polling: Vec<_> = filters
        .filter(|filter| is(filter, "namespace", namespace) && !is(filter, "state", "gone"))
        .filter_map(|filter| filter.get("plugins"))
        .collect();
    let both = json!(PLUGINS.map(|plugin| format!("{namespace}/{plugin}")));
    ensure!(!polling.is_empty() && polling.iter().all(|plugins| **plugins == both), "{polling:?}");
    Ok(())
}

/// Fails unless an Event says that the plugin was sent again for the Pod, and none is about the other plugin.
async fn is_told(world: &World, namespace: &str, pod: &Pod) -> Result<()> {
    let events = get(world, "boifi", "events").await?;
    let events = events.pointer("/items").and_then(Value::as_array).context("no list")?;
    let notes: Vec<_> = events.iter().filter_map(|event| event.get("message")?.as_str()).collect();
    let is_about = |note: &&str, plugin: &str| note.contains(&format!("WasmPlugin {namespace}/{plugin} "));
    let is_it = |note: &&str| is_about(note, "hfi-outbound") && note.contains(name(pod));
    ensure!(notes.iter().any(is_it), "{notes:?}");
    ensure!(!notes.iter().any(|note| is_about(note, "hfi-inbound")), "{notes:?}");
    Ok(())
}
