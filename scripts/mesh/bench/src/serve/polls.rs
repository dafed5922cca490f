//! Parked polls: the memory of each.

use anyhow::{Context as _, Result};
use harness::Client;
use tokio::time::Instant;

use super::{
    contestant::{Hfi, MESSAGE, Server, nginx},
    crowd::{Crowd, Then},
};
use crate::{cores::Cores, median};

const PARKED: usize = 15_000;
pub(super) const WOKEN: usize = 10_000;
const ROUNDS: usize = 5;

/// The result of one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// Of each parked poll, in bytes.
    pub(super) memory: f64,
    /// From the change to the last answer, in milliseconds.
    pub(super) whole: f64,
}

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let (mut own, mut nchan, mut hyper) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        own.push(memory(&Server::Hfi(Hfi::start(cores, client).await?), client, "").await?);
        nchan.push(memory(&Server::Nginx(nginx(cores, MESSAGE, "").await?), client, "").await?);
        hyper.push(memory(&Server::Hfi(Hfi::behind_hyper_alone(cores, client).await?), client, "").await?);
    }
    println!("medians of {ROUNDS} interleaved rounds: memory of a parked poll, of {PARKED}\n");
    let ratio = |peer: &[f64]| median(own.iter().zip(peer).map(|(own, peer)| own / peer).collect());
    println!("hfi, KiB                 {:>10.1}   (target: 10)", median(own.clone()) / 1024.0);
    println!("nchan, KiB; ratio        {:>10.1} {:>8.2}", median(nchan.clone()) / 1024.0, ratio(&nchan));
    println!("hyper alone, KiB; ratio  {:>10.1} {:>8.2}", median(hyper.clone()) / 1024.0, ratio(&hyper));
    Ok(())
}

/// The memory of each parked poll, in bytes.
async fn memory(server: &Server, client: &Client, more: &str) -> Result<f64> {
    let mut poll = server.poll(client).await?;
    poll.headers += more;
    let before = server.memory()?;
    let _parked = Crowd::send(server.address(), &poll, PARKED).await?;
    Ok(server.memory()?.saturating_sub(before) as f64 / PARKED as f64)
}

/// Measures a server; the polls have these headers more, each with its line break.
pub(super) async fn measure(server: Server, round: usize, client: &Client, more: &str) -> Result<Round> {
    let memory = memory(&server, client, more).await?;
    let mut poll = server.poll(client).await?;
    poll.headers += more;
    let crowd = Crowd::send(server.address(), &poll, WOKEN).await?;
    let mut begun = None;
    let (answered, _crowd) = crowd
        .answered(Then::StaySilent, async {
            begun = Some(Instant::now());
            server.change(round, client).await
        })
        .await?;
    let begun = begun.context("nothing was changed")?.into_std();
    Ok(Round { memory, whole: answered.last.duration_since(begun).as_secs_f64() * 1_000.0 })
}
