//! Measures hfi side by side with the named peer, in interleaved rounds, and prints ratios.

mod push;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure
    name: Name,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// From `git push` to the first and the last fault, beside the push itself
    Push,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().name {
        Name::Push => push::run().await,
    }
}

/// The middle one of several times.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
