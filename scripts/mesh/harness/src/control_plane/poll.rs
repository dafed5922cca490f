//! The poll of a proxy.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::AsyncBufReadExt;
use tokio::io::BufReader;
use tokio::net::TcpStream;

/// A poll, as it came in.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The node id that it named.
    pub node: String,
    /// The requested path, with the query.
    pub path: String,
    /// When it had come in.
    pub began: Instant,
    /// When its answer was ready, or its connection closed.
    pub ended: Option<Instant>,
    /// The number of polls of that node that were open when it had come in, itself included.
    pub open: usize,
    headers: BTreeMap<String, String>,
}

impl Poll {
    /// A header that it carried, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The time for which it may be held.
    pub(crate) fn wait(&self) -> Duration {
        let seconds = self.header("prefer").and_then(|prefer| prefer.strip_prefix("wait=")?.parse().ok());
        Duration::from_secs(seconds.unwrap_or_default())
    }

    /// Reads the next one of a connection; none when there is no more.
    pub(crate) async fn read(stream: &mut BufReader<TcpStream>) -> Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let path = line.split(' ').nth(1).context("not a request")?.to_owned();
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let node = headers.get("x-hfi-node").cloned().unwrap_or_default();
        Ok(Some(Self { node, path, began: Instant::now(), ended: None, open: 1, headers }))
    }
}
