//! Measures hfi side by side with the named peer, in interleaved rounds, and prints ratios.

mod artifacts;
mod cores;
mod filter;
mod floor;
mod hyper_alone;
mod match_rules;
mod push;
mod ready;
mod reconcile;
mod rules;
mod serve;
mod served;
mod soak;
mod throughput;
mod write;
mod writer;
mod wrk;

use anyhow::Result;
use clap::{Parser, Subcommand};
pub(crate) use harness::median;

#[derive(Debug, Parser)]
struct Arguments {
    /// The measurement to make
    #[command(subcommand)]
    name: Name,
}

#[derive(Debug, Subcommand)]
enum Name {
    /// The memory of a replica that hands the Istio configuration of 1,000 applications to Flux
    Artifacts,
    /// The cost of the filter in an Envoy: throughput, size, start, memory, applying a snapshot under load, and the
    /// first request of a service at a waypoint
    Filter {
        /// One part alone
        #[arg(value_enum)]
        part: Option<filter::Part>,
    },
    /// The cost of rules that do not apply, beside a plain loop over them and Envoy without the filter
    Match,
    /// From `git push`, and from a change by HTTP, to the first and the last fault, beside the push itself
    Push,
    /// Changes by HTTP, of 20 clients at once, beside commits that are pushed one by one; and the memory of many
    Write {
        /// One part alone
        #[arg(value_enum)]
        part: Option<write::Part>,
    },
    /// A soak test for losses and growth: 5,000 held polls, a push every second, Git killed at random
    Soak {
        /// The duration
        #[arg(long, default_value_t = 30)]
        minutes: u32,
    },
    /// The cost of parked polls, the time to answer all, and the requests a second of one core, beside
    /// nginx, its nchan, and hyper alone; and the memory of answers that nobody reads
    Serve {
        /// One part alone
        #[arg(value_enum)]
        part: Option<serve::Part>,
    },
    /// Serves what `hfi serve` does behind hyper alone, for `serve` to measure
    #[command(hide = true)]
    HyperAlone(Box<reconciler::cli::Serve>),
    /// Holds polls and answers them with nothing else to do, for `serve` to measure
    #[command(hide = true)]
    Floor(Box<reconciler::cli::Serve>),
    /// The cost of a change among 10, 1,000 and 10,000 policy files, beside `git fetch`; and among 20,000
    /// scopes that somebody waits for; the start with a long history, beside `git clone`; and repositories that
    /// would take the memory of the server
    Reconcile {
        /// One part alone
        #[arg(value_enum)]
        part: Option<reconcile::Part>,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().name {
        Name::Artifacts => artifacts::run().await,
        Name::Filter { part } => filter::run(part).await,
        Name::Match => match_rules::run().await,
        Name::Push => push::run().await,
        Name::Write { part } => write::run(part).await,
        Name::Soak { minutes } => soak::run(minutes).await,
        Name::Serve { part } => serve::run(part).await,
        Name::HyperAlone(serve) => hyper_alone::run(*serve).await,
        Name::Floor(serve) => floor::run(*serve),
        Name::Reconcile { part } => reconcile::run(part).await,
    }
}
