//! The cost of the filter in an Envoy: throughput, size, start, memory, applying a snapshot under load,
//! and the first request of a service at a waypoint.

mod apply;
mod cost;
mod memory;
mod open_loop;
mod start;
mod waypoint;

use anyhow::Result;
use clap::ValueEnum;
use harness::{Client, paths};

use crate::cores::Cores;

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Throughput,
    Start,
    Memory,
    Apply,
    Waypoint,
}

pub(crate) async fn run(part: Option<Part>) -> Result<()> {
    let (client, cores) = (Client::new()?, Cores::divide()?);
    let bytes = std::fs::metadata(paths::filter()?)?.len();
    println!("the module: {bytes} bytes, {:.0} KiB (target: at most 225,280 bytes)", bytes as f64 / 1024.0);
    for part in part.map_or_else(|| Part::value_variants().to_vec(), |part| vec![part]) {
        println!();
        match part {
            Part::Throughput => cost::run(cores, &client).await?,
            Part::Start => start::run(cores, &client).await?,
            Part::Memory => memory::run(cores, &client).await?,
            Part::Apply => apply::run(cores, &client).await?,
            Part::Waypoint => waypoint::run(cores, &client).await?,
        }
    }
    Ok(())
}
