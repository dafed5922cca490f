use std::time::Duration;

use anyhow::Result;
use harness::{Answer, Deadline, Envoy, Load, Mesh, Request, everywhere};

const POLICY: &str = r#"
metadata: {name: slow}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - match: {path: {exact: /abort}}
      fault: {percentage: 100, start_delay_ms: 1500, abort: {httpStatus: 503}}
    - {fault: {percentage: 100, delay: {fixed_delay_ms: 1500}}}
"#;

#[tokio::test]
async fn and_those_beyond_the_bound_pass_at_once_untouched() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    // The bound is of a worker.
    let sidecar = mesh.sidecar("frontend").concurrency(1).plugin("max_active_faults", 5.into());
    let envoy = Envoy::start(sidecar, &mesh.client).await?;
    mesh.publish("slow.yaml", POLICY).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    let load = |path| Load::of(Request::get(path), 20).concurrency(20);
    let results = load("/delay").run(&mesh.client, &[envoy.address()]).await?;
    assert_eq!((results.with_status(200), results.delayed()), (20, 5));
    // The sixteenth of twenty latencies is the least of those five.
    assert!(results.percentile(0.75) < Duration::from_millis(1500), "{:?}", results.percentile(0.75));
    assert!(results.percentile(0.8) >= Duration::from_millis(1500), "{:?}", results.percentile(0.8));
    overflow_is(&envoy, 15).await?;

    // The places are free again; and a late abort takes one as well.
    let results = load("/abort").run(&mesh.client, &[envoy.address()]).await?;
    assert_eq!((results.aborted(), results.with_status(200), results.delayed()), (5, 15, 0));
    overflow_is(&envoy, 30).await?;

    // What is not held needs no place.
    let results = load("/settled").run(&mesh.client, &[envoy.address()]).await?;
    assert_eq!(results.aborted(), 20);
    overflow_is(&envoy, 30).await
}

#[tokio::test]
async fn and_a_bound_of_none_is_refused() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let sidecar = mesh.sidecar("frontend").replica(2).plugin("max_active_faults", 0.into());
    let envoy = Envoy::start(sidecar, &mesh.client).await?;
    mesh.publish("slow.yaml", POLICY).await?;
    mesh.everywhere("frontend", &Request::get("/settled"), Answer::aborted).await?;
    assert!(envoy.log()?.contains("max_active_faults"), "{}", envoy.log()?);
    everywhere(envoy.address(), &Request::get("/settled"), |answer| answer.status == 200).await
}

async fn overflow_is(envoy: &Envoy, requests: u64) -> Result<()> {
    let deadline = Deadline::of("the requests let through to be counted", Duration::from_secs(5));
    while envoy.stat("hfi.faults.overflow_total").await? != requests {
        deadline.pause().await?;
    }
    Ok(())
}
