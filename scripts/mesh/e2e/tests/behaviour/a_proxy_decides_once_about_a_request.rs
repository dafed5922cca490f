use std::time::Duration;

use anyhow::Result;
use harness::{Answer, Envoy, Load, Mesh, Request, Sidecar, everywhere, expected, paths};

/// The name of the second plugin.
const SECOND: &str = "boifi.hfi-outbound";

/// Each path is that of one rule.
const POLICIES: &str = r#"
metadata: {name: inbound}
spec:
  selector: {service: edge, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /half}}, fault: {percentage: 50, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /held}}, fault: {percentage: 100, delay_ms: 200}}
---
metadata: {name: shadow}
spec:
  selector: {service: edge, namespace: demo}
  mode: shadow
  rules:
    - {match: {path: {exact: /shadow}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn although_two_plugins_meet_in_a_gateway() -> Result<()> {
    decides_once(|edge| edge.gateway().with_plugin(SECOND)).await
}

#[tokio::test]
async fn although_two_plugins_meet_in_a_sidecar() -> Result<()> {
    decides_once(|edge| edge.with_plugin(SECOND)).await
}

/// One is upgraded before the other. Then each has a VM of its own.
#[tokio::test]
async fn although_two_releases_of_the_filter_meet() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (other, mut module) = (folder.path().join("filter.wasm"), std::fs::read(paths::filter()?)?);
    // A custom section: its length, the length of its name, and its name.
    module.extend(b"\0\x06\x05other");
    std::fs::write(&other, module)?;
    decides_once(|edge| edge.gateway().with_plugin_of(SECOND, &other)).await
}

async fn decides_once(change: impl FnOnce(Sidecar) -> Sidecar) -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let edge = Sidecar::of("edge", mesh.upstream.address()).following(mesh.reconciler.address());
    let envoy = Envoy::start(change(edge), &mesh.client).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    let mut draws = Vec::new();
    // One draw in a thousand is outside the bound by chance; two draws in a row are not.
    while draws.last().is_none_or(|aborted| !expected(4000, 0.5, 0.999).contains(aborted)) {
        assert!(draws.len() < 2, "{draws:?} of 4000 requests were faulted");
        let results = Load::of(Request::get("/half"), 4000).run(&mesh.client, &[envoy.address()]).await?;
        draws.push(results.aborted());
    }

    let held = Load::of(Request::get("/held"), 20).run(&mesh.client, &[envoy.address()]).await?;
    assert_eq!(held.delayed(), 20);
    let longest = held.percentile(0.5);
    assert!(longest < Duration::from_millis(390), "requests were held for {longest:?}");
    assert_eq!(envoy.stat("hfi.faults.delays_total").await?, 20);

    Load::of(Request::get("/shadow"), 20).run(&mesh.client, &[envoy.address()]).await?;
    assert_eq!(envoy.stat("hfi.faults.shadow_total").await?, 20);
    Ok(())
}
