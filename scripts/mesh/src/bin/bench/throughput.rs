//! Requests that pass an Envoy of one worker, which answers them itself.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use mesh::{Client, Envoy, Request};
use tokio::process::Command;

use crate::{
    median,
    rules::{HEADER, PATH},
    served::Served,
};

/// Many short rounds: what disturbs the machine for a while disturbs few of them.
pub(crate) const ROUNDS: usize = 20;
const SECONDS: &str = "1s";
const CONNECTIONS: usize = 32;

/// A proxy, and what it got done in each round.
#[derive(Debug)]
pub(crate) struct Contestant {
    envoy: Envoy,
    rounds: Vec<Round>,
    /// What serves its policies.
    _served: Option<Served>,
}

/// What one proxy got done.
#[derive(Debug, Clone, Copy)]
struct Round {
    requests_per_second: f64,
    /// Of the proxy's processor time, in seconds. One worker that has a core to itself gets done what
    /// this allows. When something else wants the cores, this hardly changes, but throughputs become
    /// alike: then they are those of `wrk`, which waits for a core as well.
    time_per_request: f64,
}

impl Contestant {
    pub(crate) async fn new(envoy: Envoy, served: Option<Served>, client: &Client) -> Result<Self> {
        let request = Request::get(PATH).header(HEADER.0, HEADER.1);
        let passed = client.send(envoy.address(), &request).await?;
        ensure!(passed.status.is_success(), "a fault applies to the request: {passed:?}");
        Ok(Self { envoy, rounds: Vec::new(), _served: served })
    }

    pub(crate) fn throughput(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.requests_per_second).collect())
    }

    /// The processor time of a request.
    pub(crate) fn time_per_request(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.time_per_request).collect())
    }

    /// For which part of the time it was at work: nearly all of it, unless the cores were shared.
    pub(crate) fn utilisation(&self) -> f64 {
        let rounds = self.rounds.iter();
        median(rounds.map(|round| round.requests_per_second * round.time_per_request).collect())
    }

    /// The throughput as a part of another's.
    pub(crate) fn share_of(&self, other: &Self) -> f64 {
        self.ratio(other, |own, other| own.requests_per_second / other.requests_per_second)
    }

    /// What the processor time allows to get done, as a part of another's.
    pub(crate) fn allowance_of(&self, other: &Self) -> f64 {
        self.ratio(other, |own, other| other.time_per_request / own.time_per_request)
    }

    /// The median over the rounds: within one round the machine was about as busy for both.
    fn ratio(&self, other: &Self, ratio: impl Fn(&Round, &Round) -> f64) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(own, other)| ratio(own, other)).collect())
    }

    async fn measure(&self) -> Result<Round> {
        let before = self.envoy.processor_time()?;
        let (requests, requests_per_second) = wrk(self.envoy.address(), CONNECTIONS).await?;
        let time = self.envoy.processor_time()?.saturating_sub(before);
        Ok(Round { requests_per_second, time_per_request: time.as_secs_f64() / requests })
    }
}

/// Measures all of them in interleaved rounds.
pub(crate) async fn contest(contestants: &mut [Contestant]) -> Result<()> {
    for contestant in &*contestants {
        // By the end of it V8 has made the module fast.
        contestant.measure().await?;
    }
    let places = contestants.len();
    for round in 0..ROUNDS {
        // Whoever comes first in one round comes last in another.
        for place in 0..places {
            let Some(contestant) = contestants.get_mut((round + place) % places) else { continue };
            let measured = contestant.measure().await?;
            contestant.rounds.push(measured);
        }
    }
    Ok(())
}

/// How many requests `wrk` gets answered over so many connections, and how many in a second.
pub(crate) async fn wrk(address: SocketAddr, connections: usize) -> Result<(f64, f64)> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &connections.to_string(), "--duration", SECONDS])
        // A machine that others use may keep an answer for long.
        .args(["--timeout", "20s"])
        .args(["--header", &format!("{}: {}", HEADER.0, HEADER.1)])
        .arg(format!("http://{address}{PATH}"))
        .output()
        .await
        .context("running wrk")?;
    let text = String::from_utf8(output.stdout)?;
    let failed = !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors");
    ensure!(!failed, "wrk said:\n{text}");
    let mut lines = text.lines();
    let requests = lines.find_map(|line| line.split_once(" requests in "));
    let requests: f64 = requests.context("wrk counted nothing")?.0.trim().parse()?;
    let rate = lines.find_map(|line| line.strip_prefix("Requests/sec:"));
    Ok((requests, rate.context("wrk counted nothing")?.trim().parse()?))
}
