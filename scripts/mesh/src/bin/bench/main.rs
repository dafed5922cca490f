//! Measures hfi side by side with the named peer, in interleaved rounds, and prints ratios.

mod match_rules;
mod push;

use anyhow::Result;
use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure
    name: Name,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// What rules cost that do not apply, beside a plain loop over them and Envoy without the filter
    Match,
    /// From `git push` to the first and the last fault, beside the push itself
    Push,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().name {
        Name::Match => match_rules::run().await,
        Name::Push => push::run().await,
    }
}

/// The middle one of several values.
fn median<T: Copy + Default + Ord>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
