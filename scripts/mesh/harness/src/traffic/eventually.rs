//! Waiting until proxies do what a policy says.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::client::{Answer, Client, Request};
use crate::system::Deadline;

const PATIENCE: Duration = Duration::from_secs(60);

/// Asks one proxy until an answer is as wanted; tells when that was.
pub async fn first(
    client: &Client,
    address: SocketAddr,
    request: &Request,
    wanted: impl Fn(&Answer) -> bool,
) -> Result<Instant> {
    let deadline = Deadline::of("an answer as wanted", PATIENCE);
    while !wanted(&client.send(address, request).await?) {
        deadline.pause().await?;
    }
    Ok(Instant::now())
}

/// Asks each proxy until its answer is as wanted there; tells when the first and the last did so.
pub async fn reached<Wanted>(
    client: &Client,
    request: &Request,
    proxies: impl IntoIterator<Item = (SocketAddr, Wanted)>,
) -> Result<(Instant, Instant)>
where
    Wanted: Fn(&Answer) -> bool + Send + Sync + 'static,
{
    let mut asking = JoinSet::new();
    for (address, wanted) in proxies {
        let (client, request) = (client.clone(), request.clone());
        asking.spawn(async move { first(&client, address, &request, wanted).await });
    }
    let mut seen = Vec::new();
    while let Some(found) = asking.join_next().await {
        seen.push(found??);
    }
    seen.iter().min().copied().zip(seen.iter().max().copied()).context("there is no proxy to ask")
}

/// Asks one proxy until all its workers answer as wanted. Each worker has its own copy of the
/// filter, and a connection stays with one worker: so this asks over many new connections at once.
pub async fn everywhere(
    address: SocketAddr,
    request: &Request,
    wanted: impl Fn(&Answer) -> bool,
) -> Result<()> {
    const CONNECTIONS: usize = 16;
    let deadline = Deadline::of("answers as wanted from every worker", PATIENCE);
    loop {
        let client = Client::new()?;
        let mut asking = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (client, request) = (client.clone(), request.clone());
            asking.spawn(async move { client.send(address, &request).await });
        }
        let mut all = true;
        while let Some(answer) = asking.join_next().await {
            all &= wanted(&answer??);
        }
        if all {
            return Ok(());
        }
        deadline.pause().await?;
    }
}
