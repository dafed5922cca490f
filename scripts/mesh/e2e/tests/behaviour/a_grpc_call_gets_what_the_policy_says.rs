use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use harness::{Answer, Envoy, Mesh, Request, Sidecar, everywhere, paths};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/behaviour/grpc_peer.py");

/// `/settled` is for any request: it tells when the policy is in force.
const POLICY: &str = r#"
metadata: {name: calls}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - match: {path: {exact: /demo.Echo/Fail}}
      fault: {percentage: 100, abort: {grpcStatus: UNAVAILABLE, message: "außer Betrieb: 100 % 🚧"}}
    - match: {path: {exact: /demo.Echo/Wait}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 300}}
    - match: {path: {exact: /demo.Echo/WaitAndFail}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 300}, abort: {grpcStatus: RESOURCE_EXHAUSTED}}
"#;

#[tokio::test]
async fn as_a_real_client_sees_it() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let server = Server::start().await?;
    let sidecar = Sidecar::of("frontend", server.address).following(mesh.reconciler.address());
    let sidecar = sidecar.replica(2).speaking_http2();
    let proxy = Envoy::start(sidecar, &mesh.client).await?;

    for method in ["Say", "Fail", "Wait", "WaitAndFail"] {
        let outcome = call(&proxy, method).await?;
        assert!(outcome.code == "OK" && outcome.seen["x-hfi-fault"].is_null(), "{method}: {outcome:?}");
    }

    mesh.publish("calls.yaml", POLICY).await?;
    everywhere(proxy.address(), &Request::get("/settled"), Answer::aborted).await?;
    let outcome = call(&proxy, "Say").await?;
    assert!(outcome.code == "OK" && outcome.seen["x-hfi-fault"].is_null(), "{outcome:?}");

    let outcome = call(&proxy, "Fail").await?;
    assert_eq!((&*outcome.code, &*outcome.message), ("UNAVAILABLE", "außer Betrieb: 100 % 🚧"));
    assert_eq!(outcome.marks["x-hfi-fault"], "abort");
    assert_eq!(outcome.marks["x-hfi-policy"], "calls");

    let outcome = call(&proxy, "Wait").await?;
    assert!(outcome.code == "OK" && outcome.ms >= 300.0, "{outcome:?}");
    assert_eq!(outcome.seen["x-hfi-fault"], "delay");
    assert_eq!(outcome.seen["x-hfi-policy"], "calls");

    let outcome = call(&proxy, "WaitAndFail").await?;
    assert!(outcome.ms >= 300.0, "{outcome:?}");
    assert_eq!((&*outcome.code, &*outcome.message), ("RESOURCE_EXHAUSTED", ""));
    assert_eq!(outcome.marks["x-hfi-fault"], "abort");

    // A request that is not a gRPC call would not understand such an answer.
    mesh.everywhere("frontend", &Request::get("/settled"), Answer::aborted).await?;
    let plain = mesh.client.send(mesh.addresses("frontend")[0], &Request::get("/demo.Echo/Fail")).await?;
    assert!(plain.status == 200 && !plain.aborted(), "{plain:?}");
    Ok(())
}

/// A gRPC server that ends when this value is dropped, and with it its input.
struct Server {
    address: SocketAddr,
    _process: Child,
}

impl Server {
    async fn start() -> Result<Self> {
        let mut process = Command::new(paths::python()?)
            .args([PEER, "serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("it is piped")?;
        let port = BufReader::new(output).lines().next_line().await?.context("the server has ended")?;
        Ok(Self { address: (Ipv4Addr::LOCALHOST, port.parse()?).into(), _process: process })
    }
}

/// The outcome of a call.
#[derive(Debug, Deserialize)]
struct Outcome {
    code: String,
    message: String,
    ms: f64,
    /// The metadata that the server was sent.
    #[serde(default)]
    seen: Value,
    /// The metadata that came back with an error.
    #[serde(default)]
    marks: Value,
}

async fn call(proxy: &Envoy, method: &str) -> Result<Outcome> {
    let address = proxy.address().to_string();
    let output = Command::new(paths::python()?).args([PEER, "call", &address, method]).output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
