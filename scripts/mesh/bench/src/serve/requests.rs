//! Requests that are answered at once: conditional ones with 304, others with the bytes.

use anyhow::Result;
use harness::Client;

use super::contestant::{Hfi, Server, nginx};
use crate::{cores::Cores, median, wrk};

const ROUNDS: usize = 15;
const CONNECTIONS: usize = 32;

/// By name, with what nginx is told besides: by default it looks at the file for every request.
const PEERS: [(&str, &str); 2] = [
    ("nginx", ""),
    ("nginx, open_file_cache", "open_file_cache max=100 inactive=600s;\nopen_file_cache_valid 600s;"),
];

/// The result of one server.
#[derive(Clone, Copy, Debug)]
struct Round {
    per_second: f64,
    /// Of its processor time, in seconds.
    each: f64,
}

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let hfi = Server::Hfi(Hfi::start(cores, client).await?);
    let (bytes, _) = hfi.content(client).await?;
    let mut contestants = vec![("hfi", hfi)];
    for (name, directives) in PEERS {
        contestants.push((name, Server::Nginx(nginx(cores, &bytes, directives).await?)));
    }
    contestants.push(("hyper alone", Server::Hfi(Hfi::behind_hyper_alone(cores, client).await?)));
    println!(
        "medians of {ROUNDS} interleaved rounds: requests over {CONNECTIONS} connections for {} bytes, one core\n",
        bytes.len()
    );
    println!(
        "{:<34}{:>12}{:>14}{:>8}{:>18}{:>14}",
        "", "requests/s", "hfi's, times", "target", "CPU µs a request", "hfi's, times"
    );
    for (what, is_conditional, target) in [("304", true, 1.3), ("200", false, 1.2)] {
        let mut rounds = vec![Vec::new(); contestants.len()];
        for round in 0..=ROUNDS {
            for place in 0..contestants.len() {
                let at = (round + place) % contestants.len();
                let (Some((_, server)), Some(rounds)) = (contestants.get(at), rounds.get_mut(at)) else {
                    continue;
                };
                let measured = measure(server, is_conditional, client).await?;
                // The first one warms up.
                if round > 0 {
                    rounds.push(measured);
                }
            }
        }
        let Some(own) = rounds.first().cloned() else { continue };
        for ((name, _), rounds) in contestants.iter().zip(&rounds) {
            let ratio = |ratio: fn(&Round, &Round) -> f64| {
                median(own.iter().zip(rounds).map(|(own, other)| ratio(own, other)).collect())
            };
            let target = if *name == "nginx" { format!("{target:.1}") } else { String::new() };
            println!(
                "{:<34}{:>12.0}{:>14.2}{target:>8}{:>18.2}{:>14.2}",
                format!("{what}, {name}"),
                median(rounds.iter().map(|round| round.per_second).collect()),
                ratio(|own, other| own.per_second / other.per_second),
                median(rounds.iter().map(|round| round.each).collect()) * 1e6,
                ratio(|own, other| other.each / own.each),
            );
        }
    }
    Ok(())
}

async fn measure(server: &Server, is_conditional: bool, client: &Client) -> Result<Round> {
    let (_, etag) = server.content(client).await?;
    let known = [("if-none-match", etag.as_str())];
    let headers = if is_conditional { &known[..] } else { &[] };
    let before = server.processor_time()?;
    let (requests, per_second) = wrk::run(server.address(), &server.path(), headers, CONNECTIONS).await?;
    let time = server.processor_time()?.saturating_sub(before);
    Ok(Round { per_second, each: time.as_secs_f64() / requests })
}
