//! The filter as one root context knows it: who it is, what it runs, and whom it holds.

use std::time::Duration;

use policies::{Decision, Digest, Facts, Program, Snapshot};

use crate::{
    clock::Instant,
    config::Config,
    held::Held,
    identity::Identity,
    random::Random,
    sync::{Answer, News, Poll, Poller},
};

/// The longest that the timer sleeps.
const MAX_TICK_MS: u64 = 60_000;

/// Everything that outlives a request.
#[derive(Debug)]
pub struct Plugin {
    config: Config,
    identity: Identity,
    /// The path of a poll: it never changes.
    path: String,
    random: Random,
    poller: Poller,
    program: Program,
    pub held: Held,
}

/// What came of a poll, for the log and the metrics.
#[derive(Debug, PartialEq, Eq)]
pub enum Synced {
    Updated { digest: Digest, policies: usize },
    Unchanged,
    Failed { reason: String, first: bool },
}

impl Plugin {
    /// A filter that has not heard of any policy yet.
    pub fn new(config: Config, identity: Identity, seed: [u8; 32], now: Instant) -> Self {
        Self {
            path: format!("/v1/snapshot?{}", identity.workload),
            config,
            identity,
            random: Random::seeded(seed),
            poller: Poller::new(now),
            program: Program::default(),
            held: Held::default(),
        }
    }

    /// The Envoy cluster of the control plane.
    pub fn cluster(&self) -> &str {
        &self.config.cluster
    }

    /// What is to happen to a request.
    pub fn decide(&mut self, facts: &impl Facts) -> Option<Decision> {
        self.program.decide(facts, &mut self.random)
    }

    /// Whether every request is one that is received, whichever way the listener takes it.
    pub fn is_gateway(&self) -> bool {
        self.identity.is_gateway
    }

    /// Whether no request can get a fault, so that nothing need be known of it.
    pub fn is_idle(&self) -> bool {
        self.program.is_empty()
    }

    /// The poll to send now, if it is time for one.
    pub fn poll(&mut self, now: Instant) -> Option<Poll> {
        self.poller.poll(now, &self.config, &self.path, &self.identity.node)
    }

    /// Takes the answer of a poll in: a new snapshot is verified, compiled aside and swapped whole.
    pub fn answered(&mut self, answer: Answer, now: Instant) -> Synced {
        match self.poller.answered(answer) {
            Ok(News::Unchanged { revision }) => {
                self.poller.unchanged(revision, now, &self.config, &mut self.random);
                Synced::Unchanged
            }
            Ok(News::Changed { in_force, body }) => match self.compile(&body) {
                Ok(program) => {
                    let synced = Synced::Updated { digest: in_force.digest, policies: program.policies() };
                    self.program = program;
                    self.poller.activated(in_force, now);
                    synced
                }
                Err(reason) => self.failed(reason, now),
            },
            Err(reason) => self.failed(reason, now),
        }
    }

    fn compile(&self, body: &[u8]) -> Result<Program, String> {
        let snapshot = Snapshot::decode(body).map_err(|error| error.to_string())?;
        Program::compile(&snapshot, &self.identity.workload).map_err(|error| error.to_string())
    }

    /// A poll could not be sent, or brought nothing usable. What is in force stays so.
    pub fn failed(&mut self, reason: String, now: Instant) -> Synced {
        let first = self.poller.failed(now, &mut self.random);
        Synced::Failed { reason, first }
    }

    /// Stops injecting when the control plane has not been heard of for too long; whether it did.
    pub fn expire(&mut self, now: Instant) -> bool {
        let stale = self.poller.stale_at(&self.config).is_some_and(|at| at <= now);
        if stale {
            self.program = Program::default();
            self.poller.forget();
        }
        stale
    }

    /// How long nothing need be done: until the next poll or the next request that is due.
    pub fn next_tick(&self, now: Instant) -> Duration {
        let next = [
            Some(self.poller.next_step(&self.config)),
            self.poller.stale_at(&self.config),
            self.held.next_due(),
        ];
        let next = next.into_iter().flatten().min().unwrap_or(now);
        // Rounded up, so that what is due then is due. Zero would switch the timer off.
        let millis = next.since(now).as_nanos().div_ceil(1_000_000);
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX).clamp(1, MAX_TICK_MS))
    }
}
