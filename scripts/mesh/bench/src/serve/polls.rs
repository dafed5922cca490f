//! Parked polls: the memory of each, and how soon all are answered.

use anyhow::{Context, Result};
use harness::Client;
use tokio::time::Instant;

use super::{
    contestant::{Hfi, MESSAGE, Server, nginx},
    poll::Polls,
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
    /// From the first answer to the last, in milliseconds.
    spread: f64,
    /// From the change to the last answer.
    pub(super) whole: f64,
}

/// One of the figures.
type Figure = fn(&Round) -> f64;

/// All of them, with what is asked for.
const FIGURES: [(&str, Figure, &str); 3] = [
    ("memory of a parked poll, KiB", |round| round.memory / 1024.0, "10 KiB"),
    ("from the first answer to the last, ms", |round| round.spread, "ratio 1"),
    // Of hfi, a changed file is noticed, read and compiled first; nchan is handed what it is to send.
    ("from the change to the last answer, ms", |round| round.whole, ""),
];

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let (mut own, mut nchan, mut hyper) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        own.push(measure(Server::Hfi(Hfi::start(cores, client).await?), round, client, "").await?);
        let nginx = nginx(cores, MESSAGE, "").await?;
        nchan.push(measure(Server::Nginx(nginx), round, client, "").await?);
        let alone = Hfi::behind_hyper_alone(cores, client).await?;
        hyper.push(measure(Server::Hfi(alone), round, client, "").await?);
    }
    println!("medians of {ROUNDS} interleaved rounds: {PARKED} parked polls, {WOKEN} answered, one core\n");
    println!(
        "{:<46}{:>10}{:>10}{:>8}{:>14}{:>10}{:>10}",
        "", "hfi", "nchan", "ratio", "hyper alone", "ratio", "target"
    );
    for (what, figure, target) in FIGURES {
        let of = |rounds: &[Round]| median(rounds.iter().map(figure).collect());
        let ratio = |peer: &[Round]| {
            median(own.iter().zip(peer).map(|(own, peer)| figure(own) / figure(peer)).collect())
        };
        println!(
            "{what:<46}{:>10.1}{:>10.1}{:>8.2}{:>14.1}{:>10.2}{target:>10}",
            of(&own),
            of(&nchan),
            ratio(&nchan),
            of(&hyper),
            ratio(&hyper),
        );
    }
    Ok(())
}

/// Measures a server; the polls have these headers more, each with its line break.
pub(super) async fn measure(server: Server, round: usize, client: &Client, more: &str) -> Result<Round> {
    let (address, (path, headers)) = (server.address(), server.poll(client).await?);
    let headers = headers + more;
    let before = server.memory()?;
    let parked = Polls::send(address, &path, &headers, PARKED).await?;
    let memory = server.memory()?.saturating_sub(before) as f64 / PARKED as f64;
    drop(parked);
    let polls = Polls::send(address, &path, &headers, WOKEN).await?;
    let mut begun = None;
    let (first, last) = polls
        .answered(async {
            begun = Some(Instant::now());
            server.change(round, client).await
        })
        .await?;
    let begun = begun.context("nothing was changed")?;
    let millis = |from: Instant| last.duration_since(from).as_secs_f64() * 1_000.0;
    Ok(Round { memory, spread: millis(first), whole: millis(begun) })
}
