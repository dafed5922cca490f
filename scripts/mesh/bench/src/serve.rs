//! The speed of the reconciler's HTTP server, beside nginx: requests a second with a static file that has
//! an `ETag`, and long polls with nchan; and beside its own routes behind hyper
//! alone, without the crate `long_poll`. Each server has one core, its clients the other one. Last, the memory
//! that answers take which nobody reads.

mod contestant;
mod poll;
mod polls;
mod requests;
mod unread;

use anyhow::Result;
use harness::Client;

use crate::cores::Cores;

pub(crate) async fn run() -> Result<()> {
    let (client, cores) = (Client::new()?, Cores::divide()?);
    polls::run(cores, &client).await?;
    println!();
    requests::run(cores, &client).await?;
    println!();
    unread::run(cores, &client).await
}
