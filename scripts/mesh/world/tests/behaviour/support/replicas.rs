//! What the replicas of the control plane say.

use anyhow::{Result, bail};
use harness::{Client, Request};
use serde_json::Value;
use world::World;

use super::pods::{address, is_ready, pods};

/// The answers of all replicas that are ready.
pub(crate) async fn ask_all(world: &World, path: &str) -> Result<Vec<String>> {
    let (client, mut answers) = (Client::new()?, Vec::new());
    for pod in pods(world, "boifi", None).await?.iter().filter(|pod| is_ready(pod)) {
        let address = address(pod, 8080)?;
        answers.push(client.send(address, &Request::get(path)).await?.body);
    }
    Ok(answers)
}

/// `kubernetes.proxies` of the leader's status; an error as long as there is none.
pub(crate) async fn proxies(world: &World) -> Result<Value> {
    for answer in ask_all(world, "/v1/policies/status").await? {
        let status: Value = serde_json::from_str(&answer)?;
        match status.pointer("/kubernetes/proxies") {
            Some(proxies) if proxies.is_object() => return Ok(proxies.clone()),
            _ => {}
        }
    }
    bail!("no replica leads and knows which proxies should run the filter")
}
