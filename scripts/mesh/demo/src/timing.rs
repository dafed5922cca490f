//! The time until a push, or a removal, shows.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use harness::{Answer, Client, Mesh, Push, Request, reached};
use tokio::task::JoinSet;

/// So long without a fault, and there will be none: at 30 % over a hundred requests were spared.
const QUIET: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until each replica has shown a fault; says what `fault` it was, and returns how long the first one took.
pub(crate) async fn first_fault(
    mesh: &Mesh,
    push: Push,
    fault: &str,
    service: &str,
    request: Request,
) -> Result<Duration> {
    let replicas = mesh.addresses(service).into_iter().map(|address| (address, faulted));
    let (earliest, latest) = reached(&mesh.client, &request, replicas).await?;
    let [began, returned] = [push.began, push.returned].map(|then| earliest.saturating_duration_since(then));
    let everywhere = latest.saturating_duration_since(push.began);
    println!(
        "   first {fault} {} ms after git push began ({} ms after it returned), on every replica {} ms",
        began.as_millis(),
        returned.as_millis(),
        everywhere.as_millis(),
    );
    Ok(began)
}

/// Asks while `removal` is pushed, until nothing is faulted any more; says and returns how long the
/// last fault came after the push.
pub(crate) async fn last_fault(
    mesh: &Mesh,
    removal: impl Future<Output = Result<Push>>,
    requests: [(&str, Request); 2],
) -> Result<Duration> {
    let mut asking = JoinSet::new();
    for (service, request) in requests {
        for address in mesh.addresses(service) {
            asking.spawn(until_quiet(mesh.client.clone(), address, request.clone()));
        }
    }
    let push = removal.await?;
    let mut after = Duration::ZERO;
    while let Some(last) = asking.join_next().await {
        after = after.max(last??.saturating_duration_since(push.began));
    }
    println!("   last fault {} ms after git push began", after.as_millis());
    Ok(after)
}

/// Asks until nothing has been faulted for a while; tells when the last faulted request was sent.
async fn until_quiet(client: Client, address: SocketAddr, request: Request) -> Result<Instant> {
    let began = Instant::now();
    let mut last = began;
    while last.elapsed() < QUIET {
        if began.elapsed() > PATIENCE {
            bail!("faults go on {PATIENCE:?} after their policy was removed");
        }
        let sent = Instant::now();
        if faulted(&client.send(address, &request).await?) {
            last = sent;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    Ok(last)
}

fn faulted(answer: &Answer) -> bool {
    answer.aborted() || answer.delayed()
}
