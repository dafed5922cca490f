use std::time::Duration;

use anyhow::{Context, Result};
use harness::{Answer, Deadline, Load, Mesh, Request};

const FAULTS: &str = r#"
metadata: {name: faults}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /abort}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /delay}}, fault: {percentage: 100, delay: {fixed_delay_ms: 20}}}
"#;

#[tokio::test]
async fn exactly_over_all_workers() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    mesh.publish("faults.yaml", FAULTS).await?;
    mesh.everywhere("frontend", &Request::get("/abort"), Answer::aborted).await?;
    let envoy = mesh.envoys("frontend").next().context("no replica")?;
    let counts = async || {
        let aborts = envoy.stat("hfi.faults.aborts_total").await?;
        anyhow::Ok((aborts, envoy.stat("hfi.faults.delays_total").await?))
    };

    let (aborts, delays) = counts().await?;
    for path in ["/abort", "/delay", "/neither"] {
        Load::of(Request::get(path), 100).run(&mesh.client, &mesh.addresses("frontend")).await?;
    }
    // Workers hand what they count to the admin interface a little later.
    let deadline = Deadline::of("the counters to say what was injected", Duration::from_secs(5));
    while counts().await? != (aborts + 100, delays + 100) {
        deadline.pause().await?;
    }
    assert!(envoy.stat("hfi.sync.updates_total").await? > 0);
    assert_eq!(envoy.stat("hfi.policies.active").await?, 1);
    assert_eq!(envoy.stat("hfi.faults.active").await?, 0);
    Ok(())
}
