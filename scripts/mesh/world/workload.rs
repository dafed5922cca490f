//! A workload for Pods: answers every request with 200 and what it was asked.

use std::net::Ipv4Addr;

use anyhow::Result;
use harness::{Upstream, interruption};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let _upstream = Upstream::start_at((Ipv4Addr::UNSPECIFIED, 8080).into()).await?;
    interruption().await
}
