//! Requests that pass an Envoy of one worker, which answers them itself.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use harness::{Client, Envoy, Request};

use crate::{
    median,
    rules::{HEADER, PATH},
    served::Served,
    wrk,
};

/// Many short rounds: what disturbs the machine for a while disturbs few of them.
pub(crate) const ROUNDS: usize = 20;
const CONNECTIONS: usize = 32;

/// A proxy, and what it got done in each round.
#[derive(Debug)]
pub(crate) struct Contestant {
    envoy: Envoy,
    rounds: Vec<Round>,
    /// The server of its policies.
    _served: Option<Served>,
}

/// The result of one proxy.
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

    /// The throughput that the processor time allows, as a part of another's.
    pub(crate) fn allowance_of(&self, other: &Self) -> f64 {
        self.ratio(other, |own, other| other.time_per_request / own.time_per_request)
    }

    /// The median over the rounds: within one round the machine was about as busy for both.
    fn ratio(&self, other: &Self, ratio: impl Fn(&Round, &Round) -> f64) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(own, other)| ratio(own, other)).collect())
    }

    async fn measure(&self) -> Result<Round> {
        let before = self.envoy.processor_time()?;
        let (requests, requests_per_second) = load(self.envoy.address(), CONNECTIONS).await?;
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
        // The one that comes first in one round comes last in another.
        for place in 0..places {
            let Some(contestant) = contestants.get_mut((round + place) % places) else { continue };
            let measured = contestant.measure().await?;
            contestant.rounds.push(measured);
        }
    }
    Ok(())
}

/// The answered requests for the path that the rules are about: their number, and the rate in a second.
pub(crate) async fn load(address: SocketAddr, connections: usize) -> Result<(f64, f64)> {
    wrk::run(address, PATH, &[HEADER], connections).await
}
