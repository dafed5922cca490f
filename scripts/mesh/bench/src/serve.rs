//! What the reconciler's HTTP server does, beside nginx: requests a second with a static file that has
//! an `ETag`, and long polls with nchan. Each server has one core, whoever asks it the other one.

mod contestant;
mod poll;
mod polls;
mod requests;

use anyhow::Result;
use harness::Client;

use crate::cores::Cores;

pub(crate) async fn run() -> Result<()> {
    let (client, cores) = (Client::new()?, Cores::divide()?);
    requests::run(cores, &client).await?;
    println!();
    polls::run(cores, &client).await
}
