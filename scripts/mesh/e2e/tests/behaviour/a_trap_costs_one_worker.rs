use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use harness::{Answer, Client, Deadline, Envoy, Mesh, Request, everywhere, first};

use crate::fragile::{TRAPPED, fragile, teapot, threads, trap};

#[tokio::test]
async fn where_traffic_passes_while_the_others_go_on_injecting() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    let envoy = Envoy::start(fragile(&mesh, 2)?, &mesh.client).await?;
    mesh.publish("teapot.yaml", &teapot()).await?;
    everywhere(envoy.address(), &Request::get("/"), Answer::aborted).await?;

    let connections = connections(&envoy).await?;
    trap(&connections[0], &envoy).await?;
    let (request, address) = (Request::get("/"), envoy.address());
    let mut injecting = 0;
    for connection in &connections {
        let answer = connection.send(address, &request).await?;
        ensure!(answer.aborted() || answer.status == 200, "{answer:?}");
        injecting += usize::from(answer.aborted());
    }
    ensure!(injecting > 0, "a worker that did not trap injects no more");
    let answer = connections[0].send(address, &request).await?;
    ensure!(answer.status == 200, "traffic does not pass: {answer:?}");
    Ok(())
}

#[tokio::test]
async fn and_if_it_led_another_one_leads() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    let deadline = Deadline::of("a leader that can be trapped", Duration::from_secs(60));
    let (envoy, survivor) = loop {
        let envoy = Envoy::start(fragile(&mesh, 4)?, &mesh.client).await?;
        let leader = worker_that_leads(&mesh, &envoy).await?;
        if let Some(survivor) = trap_until(leader, &envoy).await? {
            break (envoy, survivor);
        }
        deadline.pause().await?;
    };

    let trapped = Instant::now();
    mesh.publish("teapot.yaml", &teapot().replace("418", "420")).await?;
    let seen = first(&survivor, envoy.address(), &Request::get("/"), |answer| answer.status == 420).await?;
    println!("{:?} after the leader had trapped there was news from its successor", seen - trapped);
    // A leader that is not heard of counts as gone after two seconds.
    ensure!(seen - trapped < Duration::from_secs(6), "it took {:?}", seen - trapped);
    Ok(())
}

/// The thread that leads. If it is the main thread, where no request gets that could trap it, the
/// proxy is made to stand still for longer than a lead lasts: then the first one leads.
async fn worker_that_leads(mesh: &Mesh, envoy: &Envoy) -> Result<u32> {
    for round in 0..20 {
        let status = 430 + round;
        mesh.publish("teapot.yaml", &teapot().replace("418", &status.to_string())).await?;
        everywhere(envoy.address(), &Request::get("/"), |answer| answer.status == status).await?;
        let leader = threads(envoy, "Received config update")?.pop().context("nobody leads")?;
        if leader != envoy.id() {
            return Ok(leader);
        }
        envoy.freeze()?;
        tokio::time::sleep(Duration::from_millis(2200)).await;
        envoy.thaw()?;
    }
    bail!("the main thread always leads")
}

/// Lets workers trap until this one has; a connection with another one, which lives. `None` when no
/// other is left.
async fn trap_until(leader: u32, envoy: &Envoy) -> Result<Option<Client>> {
    let mut connections = connections(envoy).await?;
    while let Some(connection) = connections.pop() {
        trap(&connection, envoy).await?;
        let mut alive = Vec::new();
        for connection in connections {
            if connection.send(envoy.address(), &Request::get("/")).await?.aborted() {
                alive.push(connection);
            }
        }
        if threads(envoy, TRAPPED)?.contains(&leader) {
            return Ok(alive.pop());
        }
        connections = alive;
    }
    Ok(None)
}

/// Clients with a connection of their own each, which stays with one worker: enough for all workers to
/// have some.
async fn connections(envoy: &Envoy) -> Result<Vec<Client>> {
    let connections: Vec<Client> = std::iter::repeat_with(Client::new).take(16).collect::<Result<_>>()?;
    for connection in &connections {
        connection.send(envoy.address(), &Request::get("/")).await?;
    }
    Ok(connections)
}
