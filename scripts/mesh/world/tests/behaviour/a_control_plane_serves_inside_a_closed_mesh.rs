//! The control plane in the mesh (`k8s/overlays/sidecar`), where every workload refuses plain text, calls only what
//! the registry knows, and one namespace hides what it does not call.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Answer, Client, Deadline, Repository, Request};
use serde_json::{Value, json};
use world::World;

use crate::support::{Caller, address, deploy, install, merge, roll_out, serve, start, workload};

const POLICY: &str = "\
metadata: {name: broken}
spec:
  rules: [{match: {path: {exact: /broken}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
";

const SOON: Duration = Duration::from_secs(5);

/// As the test sets it.
const MAX_STALENESS: Duration = Duration::from_secs(8);

#[tokio::test]
async fn to_filters_that_see_it() -> Result<()> {
    let world = start().await?;
    let policies = Repository::new().await?;
    let _git = serve(&world, &policies).await?;
    close(&world).await?;
    deploy(&world, "sidecar").await?;
    world.apply(&[only_with_an_identity()]).await?;
    for namespace in ["demo", "other"] {
        world.kubectl(&["create", "namespace", namespace]).await?;
        world.kubectl(&["label", "namespace", namespace, "istio-injection=enabled"]).await?;
        install(&world, namespace, "k8s/plugin/sidecar").await?;
    }
    let staleness = json!({"spec": {"pluginConfig": {"max_staleness_seconds": MAX_STALENESS.as_secs()}}});
    let patch = ["patch", "--namespace=demo", "wasmplugin", "hfi-inbound", "--type=merge", "--patch"];
    world.kubectl(&[&patch[..], &[&staleness.to_string()]].concat()).await?;
    let workloads = [("demo", "frontend"), ("other", "backend"), ("boifi", "operator")];
    world.apply(&workloads.map(|(namespace, name)| workload(namespace, name)).concat()).await?;
    for (namespace, name) in workloads {
        roll_out(&world, namespace, name).await?;
    }

    let caller = Caller::inside(&world, "other", "backend");
    let (frontend, backend) =
        (address(&world, "demo", "frontend").await?, address(&world, "other", "backend").await?);
    let request = |host: &str| Request::get("/broken").header("host", host);
    let until = async |host: &str, is_broken: bool| {
        let service = if host == "frontend.demo" { frontend } else { backend };
        let wanted = move |answer: &Answer| if is_broken { answer.aborted() } else { answer.status == 200 };
        caller.until(service, request(host), wanted).await
    };
    is_closed(&world, frontend).await?;
    until("frontend.demo", false).await?;

    policies.write("broken.yaml", POLICY)?;
    let push = policies.push("Break both").await?;
    until("frontend.demo", true).await?;
    println!("from git push to a fault behind mutual TLS: {:?}", push.began.elapsed());
    ensure!(push.began.elapsed() < SOON);
    until("backend.other", true).await?;
    only_its_own_namespace_writes(&world).await?;

    world.apply(&[calls("demo", &["./*", "istio-system/*"])]).await?;
    until_it_has_no_cluster(&world, "demo", "frontend").await?;
    policies.remove("broken.yaml")?;
    policies.push("Mend both").await?;
    until("backend.other", false).await?;
    let answer = caller.ask(frontend, request("frontend.demo")).await?;
    ensure!(answer.aborted(), "a filter that hears nothing goes on: {answer:?}");
    until("frontend.demo", false).await.context("after the longest staleness")?;

    world.apply(&[calls("demo", &["./*", "istio-system/*", "boifi/*"])]).await?;
    policies.write("broken.yaml", POLICY)?;
    policies.push("Break both again").await?;
    until("frontend.demo", true).await.context("once it is let through")?;
    world.end().await
}

/// Mutual TLS everywhere, and no calls to what the registry does not know. Git is outside of the mesh.
async fn close(world: &World) -> Result<()> {
    world.configure_mesh(|mesh| merge(mesh, json!({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}})))?;
    let root = json!({"name": "closed", "namespace": "istio-system"});
    world
        .apply(&[
            json!({
                "apiVersion": "security.istio.io/v1",
                "kind": "PeerAuthentication",
                "metadata": root,
                "spec": {"mtls": {"mode": "STRICT"}},
            }),
            json!({
                "apiVersion": "networking.istio.io/v1",
                "kind": "ServiceEntry",
                "metadata": root,
                "spec": {
                    "hosts": ["git.example"],
                    "location": "MESH_EXTERNAL",
                    "resolution": "STATIC",
                    "ports": [{"name": "http", "number": 80, "protocol": "HTTP"}],
                    "endpoints": [{"address": world.address()}],
                },
            }),
        ])
        .await
}

/// Denies polls that come without mutual TLS, so that a fault proves it.
fn only_with_an_identity() -> Value {
    json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "only-with-an-identity", "namespace": "boifi"},
        "spec": {
            "action": "DENY",
            "rules": [{
                "from": [{"source": {"notPrincipals": ["*"]}}],
                "to": [{"operation": {"paths": ["/v1/snapshot"]}}],
            }],
        },
    })
}

/// Lets the workloads of a namespace call nothing else.
fn calls(namespace: &str, hosts: &[&str]) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "Sidecar",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {"egress": [{"hosts": hosts}]},
    })
}

async fn is_closed(world: &World, service: SocketAddr) -> Result<()> {
    let answer = Client::new()?.send(service, &Request::get("/")).await;
    ensure!(answer.is_err(), "a sidecar takes plain text: {answer:?}");
    let unknown = SocketAddr::from(([192, 0, 2, 1], 80));
    let request = Request::get("/").header("host", "unknown.example");
    let answer = Caller::inside(world, "other", "backend").ask(unknown, request).await?;
    ensure!(answer.status == 502, "a sidecar calls what nobody knows: {answer:?}");
    Ok(())
}

/// The `AuthorizationPolicy` of the overlay: whoever is not of the control plane's namespace reads, and does nothing else
/// there.
async fn only_its_own_namespace_writes(world: &World) -> Result<()> {
    let mut service = address(world, "boifi", "hfi-control-plane").await?;
    service.set_port(8080);
    let request = |method: &str, path: &str| -> Result<Request> {
        Ok(Request::get(path).method(method.parse()?).header("host", "hfi-control-plane.boifi"))
    };
    let writes = [
        ("POST", "/v1/policies"),
        ("PUT", "/v1/policies/broken"),
        ("DELETE", "/v1/policies/broken"),
        ("POST", "/v1/halt"),
        ("DELETE", "/v1/halt"),
    ];
    let (outside, neighbour) = (Caller::outside(world), Caller::inside(world, "other", "backend"));
    // Changes are off, and hfi itself says so to whom the mesh lets through.
    let own = Caller::inside(world, "boifi", "operator");
    for (who, caller, status) in [
        ("whoever has no identity", outside, 403),
        ("a neighbour", neighbour, 403),
        ("a workload of the namespace", own, 405),
    ] {
        let reads = caller.ask(service, request("GET", "/v1/policies")?).await?;
        ensure!(reads.status == 200, "{who} reads: {reads:?}");
        let requests = writes.iter().map(|(method, path)| request(method, path)).collect::<Result<_>>()?;
        for (write, answer) in writes.iter().zip(caller.send(service, requests).await?) {
            ensure!(answer.status == status, "{who}: {write:?}: {answer:?}");
            let is_of_the_mesh = answer.body.starts_with("RBAC");
            ensure!(is_of_the_mesh == (status == 403), "{who}: {write:?}: {answer:?}");
        }
    }
    let poll = outside.ask(service, request("GET", "/v1/snapshot")?).await?;
    ensure!(poll.status == 403, "whoever has no identity polls: {poll:?}");
    Ok(())
}

/// Waits until istiod has taken the cluster of the control plane away from a sidecar.
async fn until_it_has_no_cluster(world: &World, namespace: &str, workload: &str) -> Result<()> {
    let mut service = address(world, "boifi", "hfi-control-plane").await?;
    service.set_port(8080);
    let request = Request::get("/v1/health").header("host", "hfi-control-plane.boifi");
    let caller = Caller::inside(world, namespace, workload);
    let deadline = Deadline::of_costly("a sidecar to lose the control plane", SOON);
    // What is not in the registry is cut off.
    while caller.ask(service, request.clone()).await.is_ok() {
        deadline.pause().await?;
    }
    Ok(())
}
