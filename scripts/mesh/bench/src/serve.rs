//! The speed of the reconciler's HTTP server, beside nginx: requests a second with a static file that has
//! an `ETag`, and long polls with nchan; and beside its own routes behind hyper alone, without the crate `long_poll`.
//! Each server has one core, its clients the other one, unless said. Last, the memory that answers take which
//! nobody reads, and the cost of people who watch.

mod answered;
mod contestant;
mod crowd;
mod polls;
mod requests;
mod unread;
mod watched;

use anyhow::Result;
use clap::ValueEnum;
use harness::Client;

use crate::cores::Cores;

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Answered,
    Polls,
    Requests,
    Unread,
    Watched,
}

pub(crate) async fn run(part: Option<Part>) -> Result<()> {
    let (client, cores) = (Client::new()?, Cores::divide()?);
    for part in part.map_or_else(|| Part::value_variants().to_vec(), |part| vec![part]) {
        match part {
            Part::Answered => answered::run(cores, &client).await?,
            Part::Polls => polls::run(cores, &client).await?,
            Part::Requests => requests::run(cores, &client).await?,
            Part::Unread => unread::run(cores, &client).await?,
            Part::Watched => watched::run(cores, &client).await?,
        }
        println!();
    }
    Ok(())
}
