use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Client, Deadline, Envoy, Reconciler, Request, Sidecar, Source, Upstream, loopback};
use serde_json::{Value, json};

/// As the two `WasmPlugin`s of a sidecar do. Whichever of them polls, and from whichever worker.
#[tokio::test]
async fn and_the_reconciler_shows_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let mut reconciler = Reconciler::start(Source::Folder(folder.path().to_owned()), loopback()).await?;
    reconciler.ready(&client).await?;
    let mut envoys = Vec::new();
    for (replica, concurrency) in [(1, 1), (2, 2), (3, 4)] {
        let sidecar = Sidecar::of("frontend", upstream.address()).following(reconciler.address()).both_ways();
        let sidecar = sidecar.plugin("poll_wait_seconds", 1.into()).replica(replica).concurrency(concurrency);
        envoys.push(Envoy::start(sidecar, &client).await?);
    }
    let one = Sidecar::of("frontend", upstream.address()).following(reconciler.address()).replica(4);
    let one = Envoy::start(one.plugin("poll_wait_seconds", 1.into()), &client).await?;

    let mut expected: Vec<_> = envoys
        .iter()
        .map(|envoy| (envoy.node_id().to_owned(), json!(["boifi/hfi", "boifi/hfi-outbound"])))
        .chain([(one.node_id().to_owned(), json!(["boifi/hfi"]))])
        .collect();
    expected.sort_by(|(one, _), (other, _)| one.cmp(other));
    // The first polls name none, and the server takes them for those of an older filter for a minute.
    let deadline = Deadline::of("the plugins of four proxies", Duration::from_secs(100));
    while plugins(&client, &reconciler).await? != expected {
        deadline.pause().await?;
    }
    Ok(())
}

/// The plugins that each node names, sorted by node.
async fn plugins(client: &Client, reconciler: &Reconciler) -> Result<Vec<(String, Value)>> {
    let answer = client.send(reconciler.address(), &Request::get("/v1/filters")).await?;
    let list: Value = serde_json::from_str(&answer.body)?;
    let filters = list.get("filters").and_then(Value::as_array).context("a list")?;
    let named =
        |filter: &Value| Some((filter.get("node")?.as_str()?.to_owned(), filter.get("plugins")?.clone()));
    Ok(filters.iter().filter_map(named).collect())
}
