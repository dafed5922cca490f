use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Client, Deadline, Envoy, Reconciler, Request, Sidecar, Source, Upstream, loopback};
use serde_json::Value;

use crate::policies::abort_all;

#[tokio::test]
async fn and_that_they_run_the_newest() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("errors.yaml");
    std::fs::write(&file, abort_all("errors", "frontend"))?;
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let mut reconciler = Reconciler::start(Source::Folder(folder.path().to_owned()), loopback()).await?;
    reconciler.ready(&client).await?;
    let sidecar = Sidecar::of("frontend", upstream.address()).following(reconciler.address());
    let envoy = Envoy::start(sidecar, &client).await?;

    let first = in_step(&client, &reconciler, &Value::Null).await?;
    assert_eq!(first["node"], envoy.node_id());
    assert_eq!((&first["namespace"], &first["service"]), (&"demo".into(), &"frontend".into()));
    std::fs::write(&file, abort_all("other", "frontend"))?;
    in_step(&client, &reconciler, &first["digest"]).await?;
    Ok(())
}

/// The one filter, once it runs the newest and that is another than the digest `old`.
async fn in_step(client: &Client, reconciler: &Reconciler, old: &Value) -> Result<Value> {
    let deadline = Deadline::of("the filter to be in step", Duration::from_secs(20));
    loop {
        let answer = client.send(reconciler.address(), &Request::get("/v1/filters")).await?;
        let list: Value = serde_json::from_str(&answer.body)?;
        let filters = list.get("filters").and_then(Value::as_array).context("a list")?;
        assert!(filters.len() <= 1, "{list}");
        let is_new =
            |it: &&Value| it.get("state") == Some(&"in_step".into()) && it.get("digest") != Some(old);
        if let Some(filter) = filters.iter().find(is_new) {
            return Ok(filter.clone());
        }
        deadline.pause().await?;
    }
}
