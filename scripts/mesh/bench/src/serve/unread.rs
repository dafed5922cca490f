//! Clients that ask much and read nothing: the memory that their answers take, and what of it is kept.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Client, Request};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};

use super::contestant::with_policies;
use crate::cores::Cores;

const CLIENTS: usize = 4_000;
/// The requests that each client sends at once.
const REQUESTS: usize = 50;
/// As many as make the status some 400 KB.
const POLICIES: usize = 2_000;
const STATUS: &str = "/v1/policies/status";
/// By then all that is answered lies ready, and all that is given back is.
const SETTLED: Duration = Duration::from_secs(15);

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let (_folder, reconciler) = with_policies(cores, client, POLICIES).await?;
    let (address, before) = (reconciler.address(), reconciler.memory()?);
    let answer = client.send(address, &Request::get(STATUS)).await?;
    ensure!(answer.body.len() > 100 * POLICIES, "the status is short: {} bytes", answer.body.len());
    let requests = format!("GET {STATUS} HTTP/1.1\r\nhost: hfi\r\n\r\n").repeat(REQUESTS);
    let mut unread = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        let mut reader = TcpStream::connect(address).await?;
        // Whoever is over a limit is cut off.
        let _ = reader.write_all(requests.as_bytes()).await;
        unread.push(reader);
    }
    sleep(SETTLED).await;
    let peak = reconciler.peak_memory()?;
    drop(unread);
    sleep(SETTLED).await;
    let mebibytes = |bytes: u64| bytes >> 20;
    println!(
        "{CLIENTS} clients that ask {REQUESTS} times for {} KB and read nothing: {} MiB before, {} MiB at most \
         (target: 64 MiB more), {} MiB {} s after they left",
        answer.body.len() / 1_000,
        mebibytes(before),
        mebibytes(peak),
        mebibytes(reconciler.memory()?),
        SETTLED.as_secs(),
    );
    Ok(())
}
