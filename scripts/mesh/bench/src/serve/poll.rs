//! Many polls that wait.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// The number that connect at once: a listener has room for as many.
const AT_ONCE: usize = 500;
/// By then the last one is held.
const SETTLED: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls of one path, each over its own connection.
#[derive(Debug)]
pub(crate) struct Polls(Vec<TcpStream>);

impl Polls {
    /// Sends them all; `headers` end in a line break each.
    pub(crate) async fn send(address: SocketAddr, path: &str, headers: &str, count: usize) -> Result<Self> {
        let mut polls = Vec::with_capacity(count);
        for first in (0..count).step_by(AT_ONCE) {
            let mut sending = JoinSet::new();
            for number in first..count.min(first + AT_ONCE) {
                // As a filter says whose it is.
                let node =
                    format!("sidecar~10.{}.{}.7~checkout-{number:05}.demo~demo", number / 256, number % 256);
                let head = format!("GET {path} HTTP/1.1\r\nhost: hfi\r\nx-hfi-node: {node}\r\n{headers}\r\n");
                sending.spawn(async move {
                    let mut poll = TcpStream::connect(address).await?;
                    poll.write_all(head.as_bytes()).await?;
                    anyhow::Ok(poll)
                });
            }
            while let Some(sent) = sending.join_next().await {
                polls.push(sent??);
            }
        }
        sleep(SETTLED).await;
        Ok(Self(polls))
    }

    /// When the first and the last were answered, once `change` is done.
    pub(crate) async fn answered(
        self,
        change: impl Future<Output = Result<()>>,
    ) -> Result<(Instant, Instant)> {
        let mut reading = JoinSet::new();
        for mut poll in self.0 {
            reading.spawn(async move {
                let mut answer = [0; 2_048];
                let length = poll.read(&mut answer).await?;
                let answer = String::from_utf8_lossy(answer.get(..length).unwrap_or_default());
                ensure!(answer.starts_with("HTTP/1.1 200"), "the answer to a poll is {answer:?}");
                Ok((Instant::now(), poll))
            });
        }
        // They wait before anything changes.
        sleep(SETTLED).await;
        if let Some(answered) = reading.try_join_next() {
            answered??;
            bail!("a poll was not held");
        }
        change.await?;
        let mut times: Vec<Instant> = Vec::with_capacity(reading.len());
        let mut polls = Vec::with_capacity(reading.len());
        while let Some(read) =
            timeout(PATIENCE, reading.join_next()).await.context("a poll is not answered")?
        {
            let (at, poll) = read??;
            times.push(at);
            // To close it would take the time of those that are still to be answered.
            polls.push(poll);
        }
        let ends = times.iter().min().zip(times.iter().max());
        let (first, last) = ends.context("no polls")?;
        Ok((*first, *last))
    }
}
