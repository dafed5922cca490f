use std::time::Duration;

use anyhow::Result;
use harness::{Answer, Client, Envoy, Load, Mesh, Request, everywhere};

use crate::policies::policy;

const WHILE: Duration = Duration::from_secs(2);
/// Envoy itself wakes up some 70 times meanwhile, and to look for news ten times a second on each
/// of two threads is 20 times more; a timer of 10 ms on one of them would be 200 times.
const FEW: u64 = 200;

#[tokio::test]
async fn for_delays_before_between_or_after_them() -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    let sidecar = mesh.sidecar("frontend").concurrency(1).answering_itself();
    let envoy = Envoy::start(sidecar, &mesh.client).await?;
    let slow = policy("slow", "frontend", "percentage: 100, delay: {fixed_delay_ms: 2500}")
        .replace("- fault", "- match: {path: {exact: /slow}}\n      fault");
    mesh.repository.write("slow.yaml", &slow)?;
    let quick = policy("quick", "frontend", "percentage: 100, delay: {fixed_delay_ms: 5}")
        .replace("- fault", "- match: {path: {exact: /quick}}\n      fault");
    mesh.repository.write("quick.yaml", &quick)?;
    let settled = policy("settled", "frontend", "percentage: 100, abort: {httpStatus: 503}")
        .replace("- fault", "- match: {path: {exact: /settled}}\n      fault");
    mesh.publish("settled.yaml", &settled).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    let before = wakeups(&envoy).await?;
    Load::of(Request::get("/quick"), 200).run(&mesh.client, &[envoy.address()]).await?;
    // Nor while a delay lasts: its end is known.
    let (client, address) = (Client::new()?, envoy.address());
    let held = tokio::spawn(async move { client.send(address, &Request::get("/slow")).await });
    let meanwhile = wakeups(&envoy).await?;
    assert!(!held.is_finished());
    held.await??;
    let after = wakeups(&envoy).await?;
    println!("{before}, {meanwhile} and {after} wake-ups in {WHILE:?}");
    assert!([before, meanwhile, after].iter().all(|wakeups| *wakeups < FEW));
    Ok(())
}

async fn wakeups(envoy: &Envoy) -> Result<u64> {
    let before = envoy.wakeups()?;
    tokio::time::sleep(WHILE).await;
    Ok(envoy.wakeups()? - before)
}
