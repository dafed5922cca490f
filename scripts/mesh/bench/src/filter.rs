//! The cost of the filter in an Envoy: throughput, size, start, memory, and applying a snapshot under load.

mod apply;
mod cost;
mod memory;
mod open_loop;
mod start;

use anyhow::Result;
use harness::{Client, paths};

use crate::cores::Cores;

pub(crate) async fn run() -> Result<()> {
    let (client, cores) = (Client::new()?, Cores::divide()?);
    cost::run(cores, &client).await?;
    println!();
    let bytes = std::fs::metadata(paths::filter()?)?.len();
    println!("the module: {bytes} bytes, {:.0} KiB (target: at most 225,280 bytes)\n", bytes as f64 / 1024.0);
    start::run(cores, &client).await?;
    println!();
    memory::run(cores, &client).await?;
    println!();
    apply::run(cores, &client).await
}
