//! From `git push` to the fault, as the README's "Deploy it" says it: with the manifests, with injected sidecars that
//! fetch the module from the control plane, and for nobody else.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Answer, Client, Deadline, Repository, Request, first};
use tokio::net::TcpStream;
use tokio::time::timeout;
use world::World;

use crate::support::{address, deploy, install, run_workload, serve};

const POLICY: &str = "\
metadata: {name: first-fault}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";

/// The interval of the control plane is 1 s here.
const SOON: Duration = Duration::from_secs(5);

/// Leaves the control plane, and a namespace `demo` without workloads.
pub(super) async fn is_injected(world: &World) -> Result<()> {
    let policies = Repository::new().await?;
    let _git = serve(world, &policies).await?;
    deploy(world, "default").await?;

    world.kubectl(&["create", "namespace", "demo"]).await?;
    world.kubectl(&["label", "namespace", "demo", "istio-injection=enabled"]).await?;
    install(world, "demo", "k8s/plugin/sidecar").await?;
    for name in ["frontend", "backend"] {
        run_workload(world, "demo", name).await?;
    }
    let (frontend, backend) =
        (address(world, "demo", "frontend").await?, address(world, "demo", "backend").await?);
    let (client, request) = (Client::new()?, Request::get("/"));
    for address in [frontend, backend] {
        leads_to_a_pod(address).await?;
        ensure!(client.send(address, &request).await?.status == 200);
    }

    policies.write("first-fault.yaml", POLICY)?;
    let push = policies.push("Break the frontend").await?;
    let faulted = first(&client, frontend, &request, Answer::aborted).await?;
    println!("from git push to the first fault: {:?}", faulted - push.began);
    ensure!(faulted - push.began < SOON);
    ensure!(client.send(backend, &request).await?.status == 200);

    policies.remove("first-fault.yaml")?;
    policies.push("Mend the frontend").await?;
    first(&client, frontend, &request, |answer| answer.status == 200).await?;
    world.kubectl(&["delete", "deployment", "--namespace", "demo", "frontend", "backend"]).await?;
    Ok(())
}

/// kube-proxy learns of a Pod a moment later. A connection that was begun before never comes to it.
async fn leads_to_a_pod(service: SocketAddr) -> Result<()> {
    let deadline = Deadline::of("kube-proxy to lead to a Pod", Duration::from_secs(30));
    while !matches!(timeout(Duration::from_secs(1), TcpStream::connect(service)).await, Ok(Ok(_))) {
        deadline.pause().await?;
    }
    Ok(())
}
