//! What `hfi doctor` says of a world, fault by fault.

pub(crate) mod control_plane;
pub(crate) mod obstacles;
pub(crate) mod plugins;
pub(crate) mod proxies;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Deadline, paths};
use serde_json::{Value, json};
use world::World;

use crate::person;

/// A proxy counts as gone some time after the poll that it did not make.
const PATIENCE: Duration = Duration::from_secs(120);

/// Of what a finding must speak: its subject, its message, its next step.
pub(crate) type Words<'w> = [&'w str; 3];

/// Waits until the doctor finds just this. Returns the next steps, in this order.
pub(crate) async fn finds(world: &World, what: &str, expected: &[Words<'_>]) -> Result<Vec<String>> {
    finds_with(world, "", what, expected).await
}

/// The same with these options.
pub(crate) async fn finds_with(
    world: &World,
    options: &str,
    what: &str,
    expected: &[Words<'_>],
) -> Result<Vec<String>> {
    let (began, deadline) = (Instant::now(), Deadline::of_costly("the doctor to find it", PATIENCE));
    loop {
        let found = ask(world, options).await?;
        if let Some(next) = match_all(&found, expected) {
            println!("{what}: {:?}", began.elapsed());
            return Ok(next);
        }
        deadline.pause().await.with_context(|| format!("{what}: {expected:?} in {found:#?}"))?;
    }
}

/// istiod is a program of the node here. Elsewhere its Deployment tells the version.
pub(crate) async fn show_istiod(world: &World) -> Result<()> {
    let labels = json!({"app": "istiod"});
    let containers = json!([{"name": "discovery", "image": "istio/pilot:1.29.1"}]);
    let istiod = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    });
    world.apply(&[istiod]).await
}

/// Its findings, as subject, message and next step.
pub(crate) async fn ask(world: &World, options: &str) -> Result<Vec<[String; 3]>> {
    let words = format!("hfi doctor --output=json {options}");
    let output = person::shell(&paths::workspace(), world, &words)?.output().await?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let findings = said.get("findings").and_then(Value::as_array).context("no findings")?;
    ensure!(output.status.code() == Some(i32::from(!findings.is_empty())), "{}: {said}", output.status);
    let text = |finding: &Value, key| finding.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let parts = |finding: &Value| ["subject", "message", "next"].map(|key| text(finding, key));
    Ok(findings.iter().map(parts).collect())
}

/// Types the first command of kubectl in a next step.
pub(crate) async fn follow(world: &World, next: &str) -> Result<()> {
    let mut quoted = next.split('`').skip(1).step_by(2);
    let command = quoted.find(|text| text.starts_with("kubectl")).context("no command in the next step")?;
    person::types(world, command).await?;
    Ok(())
}

/// The next steps of the expected findings, if there are no others.
fn match_all(found: &[[String; 3]], expected: &[Words<'_>]) -> Option<Vec<String>> {
    let fits = |found: &[String; 3], words: &Words<'_>| {
        found.iter().zip(words).all(|(said, word)| said.contains(word))
    };
    let mut rest: Vec<_> = found.iter().collect();
    let next = expected.iter().map(|words| {
        let place = rest.iter().position(|found| fits(found, words))?;
        let [_, _, next] = rest.remove(place);
        Some(next.clone())
    });
    let next = next.collect::<Option<Vec<_>>>()?;
    rest.is_empty().then_some(next)
}
