//! The cost of the filter in an Envoy: throughput, size, memory, and applying a snapshot under load.

mod apply;
mod cost;
mod memory;
mod open_loop;

use anyhow::Result;
use harness::{Client, paths};

use crate::cores::Cores;

pub(crate) async fn run() -> Result<()> {
    let (client, cores) = (Client::new()?, Cores::divide()?);
    cost::run(cores, &client).await?;
    println!();
    let bytes = std::fs::metadata(paths::filter()?)?.len();
    println!("the module: {bytes} bytes, {:.0} KiB (target: at most 500 KB)\n", bytes as f64 / 1024.0);
    memory::run(cores, &client).await?;
    println!();
    apply::run(cores, &client).await
}
