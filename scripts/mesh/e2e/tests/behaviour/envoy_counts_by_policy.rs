use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Answer, Deadline, Envoy, Load, Mesh, Request, first};

use crate::policies::abort_all;

const FAULTS: &str = r#"
metadata: {name: some}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /abort}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /delay}}, fault: {percentage: 100, delay: {fixed_delay_ms: 20}}}
    - match: {path: {exact: /both}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 20}, abort: {httpStatus: 503}}
---
metadata: {name: others}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /other}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
---
metadata: {name: dry-run}
spec:
  selector: {service: frontend, namespace: demo}
  mode: shadow
  rules:
    - {match: {path: {exact: /shadow}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn for_its_own_interface_and_for_prometheus() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    mesh.publish("faults.yaml", FAULTS).await?;
    mesh.everywhere("frontend", &Request::get("/other"), Answer::aborted).await?;
    let envoy = mesh.envoys("frontend").next().context("no replica")?;
    let others = count(envoy, "others", "aborts").await?;
    assert!(others > 0);

    let reached = mesh.upstream.requests();
    for (path, requests) in [("/abort", 40), ("/delay", 30), ("/both", 20), ("/shadow", 10), ("/none", 5)] {
        let load = Load::of(Request::get(path), requests);
        let results = load.run(&mesh.client, &mesh.addresses("frontend")).await?;
        // A shadow is of a fault that is not injected.
        let (aborts, delays) = match path {
            "/abort" | "/both" => (requests, 0),
            "/delay" => (0, requests),
            _ => (0, 0),
        };
        assert_eq!((results.aborted(), results.delayed(), results.failed()), (aborts, delays, 0), "{path}");
    }
    assert_eq!(mesh.upstream.requests() - reached, 30 + 10 + 5);

    let wanted = [
        ("some", "aborts", 60),
        ("some", "delays", 50),
        ("some", "shadow", 0),
        ("others", "aborts", others),
        ("dry-run", "shadow", 10),
        ("dry-run", "aborts", 0),
    ];
    let deadline = Deadline::of("the counters by policy", Duration::from_secs(5));
    for (policy, kind, wanted) in wanted {
        while count(envoy, policy, kind).await? != wanted {
            deadline.pause().await.with_context(|| format!("{kind} of {policy} to be {wanted}"))?;
        }
    }

    // As Istio's Prometheus sees it: the policy is a label.
    let wanted = [
        r#"hfi_policy_aborts_total{tag="some"} 60"#,
        r#"hfi_policy_delays_total{tag="some"} 50"#,
        r#"hfi_policy_shadow_total{tag="dry-run"} 10"#,
        "hfi_faults_delay_duration_milliseconds_count{} 50",
    ];
    loop {
        let stats = mesh.client.send(envoy.admin(), &Request::get("/stats/prometheus")).await?.body;
        let missing: Vec<_> =
            wanted.iter().filter(|wanted| stats.lines().all(|line| line != **wanted)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        deadline.pause().await.with_context(|| format!("{missing:?} in {stats}"))?;
    }
}

/// Envoy keeps a counter for as long as it runs. No policy can be called `_other`.
#[tokio::test]
async fn the_first_hundred_by_name_and_the_others_together() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    let envoy = Envoy::start(mesh.sidecar("frontend").concurrency(1), &mesh.client).await?;
    let policies = (0..120).map(|number| {
        let fault = format!("- match: {{path: {{exact: /{number}}}}}\n      fault");
        abort_all(&format!("policy-{number}"), "frontend").replace("- fault", &fault)
    });
    mesh.publish("many.yaml", &policies.collect::<Vec<_>>().join("---\n")).await?;
    first(&mesh.client, envoy.address(), &Request::get("/0"), Answer::aborted).await?;
    for number in 1..120 {
        mesh.client.send(envoy.address(), &Request::get(&format!("/{number}"))).await?;
    }
    let deadline = Deadline::of("the last fault to be counted", Duration::from_secs(5));
    while count(&envoy, "_other", "aborts").await? != 20 {
        deadline.pause().await?;
    }
    for (policy, wanted) in [("policy-0", 1), ("policy-99", 1), ("policy-100", 0), ("policy-119", 0)] {
        assert_eq!(count(&envoy, policy, "aborts").await?, wanted, "{policy}");
    }
    assert_eq!(envoy.stat("hfi.faults.aborts_total").await?, 120);
    Ok(())
}

/// A policy has a counter once there is something to count.
async fn count(envoy: &Envoy, policy: &str, kind: &str) -> Result<u64> {
    Ok(envoy.stat(&format!("hfi.policy.tag.{policy};.{kind}_total")).await.unwrap_or_default())
}
