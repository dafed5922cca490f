//! Held polls that are all answered: how soon, and at what cost to the server. Beside nchan, and beside a server
//! that has nothing else to do than to write, which shows what the clients and the kernel take.

use std::time::Duration;

use anyhow::Result;
use harness::Client;
use tokio::time::sleep;

use super::{
    contestant::{Hfi, MESSAGE, Server, nginx},
    crowd::{Crowd, Then},
    polls::WOKEN,
};
use crate::{cores::Cores, median};

const ROUNDS: usize = 5;
/// By then a server has read what clients ask next.
const SETTLED: Duration = Duration::from_millis(500);

const CLIENTS: [(&str, Then); 3] =
    [("stay silent", Then::StaySilent), ("ask again at once", Then::AskAgain), ("leave", Then::Leave)];

/// The result of one server, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// From the first answer to the last.
    spread: f64,
    /// The processor time of the server from the change until it is at rest.
    processor: f64,
    /// The part of the time that all clients have worked.
    busy: f64,
    /// The part of the time that they have waited for a processor. With the other one it says how much they are the bound.
    queued: f64,
}

pub(crate) async fn run(pinned: Cores, client: &Client) -> Result<()> {
    println!("medians of {ROUNDS} interleaved rounds: {WOKEN} polls answered, first to last\n");
    println!(
        "{:<8}{:<19}{:>8}{:>8}{:>8}{:>8}{:>10}{:>8}{:>8}{:>8}{:>9}{:>8}{:>8}{:>8}{:>8}",
        "cores",
        "the clients",
        "hfi ms",
        "nchan",
        "floor",
        "ratio",
        "hfi CPU",
        "nchan",
        "floor",
        "ratio",
        "clients'",
        "nchan's",
        "floor's",
        "queued",
        "nchan's"
    );
    for (placed, is_free) in [("pinned", false), ("free", true)] {
        for (name, then) in CLIENTS {
            let cores = if is_free { pinned.free()? } else { pinned.pinned()? };
            let (mut own, mut nchan, mut floor) = (Vec::new(), Vec::new(), Vec::new());
            for round in 0..ROUNDS {
                own.push(measure(Server::Hfi(Hfi::start(cores, client).await?), round, then, client).await?);
                let nginx = Server::Nginx(nginx(cores, MESSAGE, "").await?);
                nchan.push(measure(nginx, round, then, client).await?);
                let server = Server::Floor(Hfi::floor(cores, client).await?);
                floor.push(measure(server, round, then, client).await?);
            }
            let of =
                |rounds: &[Round], figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
            let ratio = |figure: fn(&Round) -> f64| {
                median(own.iter().zip(&nchan).map(|(own, peer)| figure(own) / figure(peer)).collect())
            };
            println!(
                "{placed:<8}{name:<19}{:>8.1}{:>8.1}{:>8.1}{:>8.2}{:>10.1}{:>8.1}{:>8.1}{:>8.2}{:>8.0}%{:>7.0}%{:>7.0}%{:>7.0}%{:>7.0}%",
                of(&own, |round| round.spread),
                of(&nchan, |round| round.spread),
                of(&floor, |round| round.spread),
                ratio(|round| round.spread),
                of(&own, |round| round.processor),
                of(&nchan, |round| round.processor),
                of(&floor, |round| round.processor),
                ratio(|round| round.processor),
                100.0 * of(&own, |round| round.busy),
                100.0 * of(&nchan, |round| round.busy),
                100.0 * of(&floor, |round| round.busy),
                100.0 * of(&own, |round| round.queued),
                100.0 * of(&nchan, |round| round.queued),
            );
        }
    }
    pinned.pinned()?;
    Ok(())
}

async fn measure(server: Server, round: usize, then: Then, client: &Client) -> Result<Round> {
    let poll = server.poll(client).await?;
    let crowd = Crowd::send(server.address(), &poll, WOKEN).await?;
    let before = server.processor_time()?;
    let (answered, _crowd) = crowd.answered(then, server.change(round, client)).await?;
    sleep(SETTLED).await;
    let spread = answered.last.duration_since(answered.first);
    let processor = server.processor_time()?.saturating_sub(before);
    Ok(Round {
        spread: spread.as_secs_f64() * 1_000.0,
        processor: processor.as_secs_f64() * 1_000.0,
        busy: answered.busy.as_secs_f64() / spread.as_secs_f64(),
        queued: answered.queued.as_secs_f64() / spread.as_secs_f64(),
    })
}
