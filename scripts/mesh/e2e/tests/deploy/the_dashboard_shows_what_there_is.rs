use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Answer, Deadline, Mesh, Reconciler, Repository, Request, Source, loopback};
use serde_json::Value;

use crate::manifests::{build_with_all, only};

/// By then each proxy has reported its counts.
const REPORTED: Duration = Duration::from_secs(40);

const FAULT: &str = r#"
metadata: {name: fault}
spec:
  rules: [{fault: {percentage: 100, delay: {fixed_delay_ms: 1}, abort: {httpStatus: 503}}}]
"#;

/// Each metric that the dashboard and the alerts ask for is one that the reconciler or a proxy has.
#[tokio::test]
async fn in_the_reconciler_and_in_envoy() -> Result<()> {
    let objects = build_with_all()?;
    let mut asked = metrics(&expressions(only(&objects, "PrometheusRule")?));
    let dashboard = objects.iter().find_map(|object| object["data"]["hfi.json"].as_str());
    let dashboard: Value = serde_json::from_str(dashboard.context("there is no dashboard")?)?;
    asked.extend(metrics(&expressions(&dashboard)));
    assert!(asked.len() > 15, "{asked:?}");
    // Only there with `--kubernetes`, or with `--proxies`.
    for name in [
        "hfi_kubernetes_failing",
        "hfi_proxies_covered",
        "hfi_proxies_silent",
        "hfi_proxy_silent_since_seconds",
    ] {
        assert!(asked.remove(name), "{name}");
    }

    let (repository, files) = (Repository::new().await?, tempfile::tempdir()?);
    let tokens = files.path().join("tokens");
    std::fs::write(&tokens, "replicas replicas-0123456789abcdef\n")?;
    // A replica that does not answer is counted, too.
    let options = ["--peers".into(), "127.0.0.1:9".into(), "--peer-token-file".into(), tokens.into()];
    let source = Source::local(&repository.bare());
    let reconciler = Reconciler::start_with(source, loopback(), options.to_vec()).await?;
    let mesh = Mesh::around(repository, reconciler, &[], &[("frontend", 1)], 1).await?;
    mesh.publish("fault.yaml", FAULT).await?;
    mesh.everywhere("frontend", &Request::get("/"), Answer::aborted).await?;
    let unreadable = Request::get("/v1/snapshot?namespace=demo&service=frontend")
        .header("x-hfi-node", "sidecar~127.0.0.1~other.demo~demo")
        .header("x-hfi-faults", "no report");
    mesh.client.send(mesh.reconciler.address(), &unreadable).await?;
    let envoy = mesh.envoys("frontend").next().context("no replica")?;
    let deadline = Deadline::of("every metric to be there", REPORTED);
    loop {
        let mut there =
            metrics(&mesh.client.send(mesh.reconciler.address(), &Request::get("/metrics")).await?.body);
        there.extend(metrics(
            &mesh.client.send(envoy.admin(), &Request::get("/stats/prometheus")).await?.body,
        ));
        let missing: Vec<_> = asked.difference(&there).collect();
        if missing.is_empty() {
            return Ok(());
        }
        deadline.pause().await.with_context(|| format!("{missing:?} are not among {there:?}"))?;
    }
}

/// Every `expr` within, one a line.
fn expressions(value: &Value) -> String {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, inner)| match inner {
                Value::String(text) if name == "expr" => format!("{text}\n"),
                _ => expressions(inner),
            })
            .collect(),
        Value::Array(elements) => elements.iter().map(expressions).collect(),
        _ => String::new(),
    }
}

/// The names of hfi's metrics in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("hfi_")).map(str::to_owned).collect()
}
