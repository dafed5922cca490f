use anyhow::Result;
use harness::{Answer, Envoy, Mesh, Request, everywhere};

use crate::access_log::AccessLog;

const POLICY: &str = r#"
metadata: {name: faults}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /abort}}, fault: {percentage: 100, abort: {httpStatus: 418, body: tea}}}
    - {match: {path: {exact: /delay}}, fault: {percentage: 100, delay: {fixed_delay_ms: 30}}}
    - match: {path: {exact: /both}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 30}, abort: {httpStatus: 504}}
    - match: {path: {exact: /call}}
      fault: {percentage: 100, abort: {grpcStatus: UNAVAILABLE, message: "out of order"}}
---
metadata: {name: dry-run}
spec:
  selector: {service: frontend, namespace: demo}
  mode: shadow
  rules:
    - {match: {path: {exact: /shadow}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn and_by_which_policy() -> Result<()> {
    let (mesh, log) = (Mesh::start(&[]).await?, AccessLog::new()?);
    let envoy = Envoy::start(mesh.sidecar("frontend").access_log(&log.file()), &mesh.client).await?;
    mesh.publish("faults.yaml", POLICY).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    // What Envoy says of the status, and the filter of the fault.
    let table = [
        ("/abort", "418", "hfi_abort_faults", "abort faults"),
        ("/delay", "200", "via_upstream", "delay faults"),
        ("/both", "504", "hfi_abort_faults", "abort faults"),
        ("/call", "200", "hfi_abort_faults", "abort faults"),
        ("/shadow", "200", "via_upstream", "-"),
        ("/neither", "200", "via_upstream", "-"),
    ];
    for (path, status, details, fault) in table {
        let request = Request::get(path);
        let request =
            if path == "/call" { request.header("content-type", "application/grpc") } else { request };
        mesh.client.send(envoy.address(), &request).await?;
        let entries = log.entries(path, 1).await?;
        let found = entries.iter().map(|entry| (&*entry.status, &*entry.details, &*entry.fault));
        assert_eq!(found.collect::<Vec<_>>(), [(status, details, fault)], "{path}");
    }
    Ok(())
}
