use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{
    Answer, Client, Envoy, Load, Reconciler, Repository, Request, Sidecar, Source, Upstream, everywhere,
    loopback,
};

use crate::policies::abort_all;

#[tokio::test]
async fn when_the_proxy_has_no_cluster_for_it() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let envoy = Envoy::start(Sidecar::of("frontend", upstream.address()), &client).await?;
    all_traffic_passes(&client, &envoy).await?;
    failures_are_warned_of_once(&envoy).await
}

#[tokio::test]
async fn when_the_plugin_configuration_is_nonsense() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let sidecar = Sidecar::of("frontend", upstream.address()).plugin("control_plane_address", 7.into());
    let envoy = Envoy::start(sidecar, &client).await?;
    all_traffic_passes(&client, &envoy).await
}

#[tokio::test]
async fn when_it_is_down_at_the_start_and_the_proxy_catches_up_later() -> Result<()> {
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let repository = Repository::new().await?;
    repository.write("errors.yaml", &abort_all("errors", "frontend"))?;
    repository.push("Add errors").await?;
    let source = Source::local(&repository.bare());
    // Started once to learn an address that is free.
    let mut reconciler = Reconciler::start(source, loopback()).await?;
    reconciler.kill().await?;

    let sidecar = Sidecar::of("frontend", upstream.address()).following(reconciler.address());
    let envoy = Envoy::start(sidecar, &client).await?;
    all_traffic_passes(&client, &envoy).await?;
    failures_are_warned_of_once(&envoy).await?;

    reconciler.restart().await?;
    everywhere(envoy.address(), &Request::get("/"), Answer::aborted).await
}

/// For long enough that polls fail and are tried again.
async fn all_traffic_passes(client: &Client, envoy: &Envoy) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        let results = Load::of(Request::get("/"), 200).run(client, &[envoy.address()]).await?;
        assert_eq!(results.with_status(200), 200);
        assert!(results.percentile(1.0) < Duration::from_secs(1), "{:?}", results.percentile(1.0));
    }
    Ok(())
}

/// Several have been counted by now.
async fn failures_are_warned_of_once(envoy: &Envoy) -> Result<()> {
    assert!(envoy.stat("hfi.sync.failures_total").await? > 1);
    let warnings = envoy.warnings()?;
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    Ok(())
}
