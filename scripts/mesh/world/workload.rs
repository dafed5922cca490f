//! A workload for Pods: answers every request with 200 and what it was asked, at port 8080 or
//! `--port=NUMBER`.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use harness::{Upstream, interruption};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let port = std::env::args().find_map(|word| Some(word.strip_prefix("--port=")?.parse()));
    let port = port.transpose().context("--port= takes a number")?.unwrap_or(8080);
    let _upstream = Upstream::start_at((Ipv4Addr::UNSPECIFIED, port).into()).await?;
    interruption().await
}
