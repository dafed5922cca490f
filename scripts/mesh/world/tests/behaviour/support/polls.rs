//! The polls of a fleet of proxies, as hfi and as each proxy counts them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Client, Request};
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use world::World;

use super::pods::{address, is_ready, name, pods};
use super::proxy;

const HFI: &str = "boifi";

/// Waits until each ready Pod of a namespace, of which there must be so many, runs the newest snapshot and polls
/// once, whatever the number of its workers. Tells how long that took.
pub(crate) async fn all_poll(
    world: &mut World,
    namespace: &'static str,
    number: usize,
    patience: Duration,
) -> Result<Duration> {
    let begun = Instant::now();
    let look = async |world: &World| {
        let proxies = pods(world, namespace, None).await?;
        ensure!(proxies.len() == number && proxies.iter().all(is_ready), "not all {number} Pods are ready");
        poll_once(world, &proxies).await
    };
    world.wait_for("every filter to poll once and to be in step", patience, look).await?;
    Ok(begun.elapsed())
}

async fn poll_once(world: &World, proxies: &[Pod]) -> Result<()> {
    let (client, mut filters, mut held) = (Client::new()?, BTreeSet::new(), 0);
    for replica in pods(world, HFI, None).await?.iter().filter(|pod| is_ready(pod)) {
        let replica = address(replica, 8080)?;
        filters.extend(states(&client, replica).await?);
        held += held_polls(&client, replica).await?;
    }
    for pod in proxies {
        let node = format!("sidecar~{}~", address(pod, 0)?.ip());
        let is_it = |(of, state): &(String, String)| of.starts_with(&node) && state == "in_step";
        ensure!(filters.iter().any(is_it), "{} is not in step: {filters:?}", name(pod));
    }
    ensure!(held == proxies.len(), "hfi holds {held} polls of {} proxies", proxies.len());
    for pod in proxies {
        let polls = proxy::polls(world, pod).await?;
        ensure!(polls == 1, "{} polls {polls} times", name(pod));
    }
    Ok(())
}

/// The nodes that a replica knows, and the state of each.
async fn states(client: &Client, replica: SocketAddr) -> Result<Vec<(String, String)>> {
    let answer = client.send(replica, &Request::get("/v1/filters")).await?;
    let answer: Value = serde_json::from_str(&answer.body)?;
    let filters = answer.get("filters").and_then(Value::as_array).context("no list of filters")?;
    let text = |filter: &Value, field: &str| Some(filter.get(field)?.as_str()?.to_owned());
    Ok(filters.iter().filter_map(|one| Some((text(one, "node")?, text(one, "state")?))).collect())
}

async fn held_polls(client: &Client, replica: SocketAddr) -> Result<usize> {
    let metrics = client.send(replica, &Request::get("/metrics")).await?.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix("hfi_polls_parked "));
    Ok(line.context("hfi counts no held polls")?.trim().parse()?)
}
