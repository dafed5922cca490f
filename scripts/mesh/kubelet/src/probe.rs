//! Questions to containers: probes, and the hooks after their start and before their end.

pub(crate) mod ask;
mod grpc;
mod tally;

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use crate::spec::check::{Check, Timing};
use ask::Asker;
use tally::Tally;

/// The period of a prober in a hurry.
const HURRY: Duration = Duration::from_millis(250);

/// A probe that asks again and again.
#[derive(Debug)]
pub(crate) struct Prober {
    asker: Asker,
    check: Check,
    timing: Timing,
    tally: Tally,
    next: Instant,
}

impl Prober {
    /// Begins with the initial delay, from now on.
    pub(crate) fn new(asker: Asker, check: Check, timing: Timing) -> Self {
        let tally = Tally::new(timing.successes, timing.failures);
        Self { asker, check, timing, tally, next: Instant::now() + timing.initial_delay }
    }

    /// Asks until as many answers in a row are alike as the thresholds say. True for good ones.
    pub(crate) async fn verdict(&mut self) -> bool {
        self.verdict_every(self.timing.period).await
    }

    /// The same, but asks more often. Kubernetes does so while a container is not ready.
    pub(crate) async fn verdict_soon(&mut self) -> bool {
        self.verdict_every(self.timing.period.min(HURRY)).await
    }

    async fn verdict_every(&mut self, period: Duration) -> bool {
        loop {
            sleep_until(self.next).await;
            let answer = self.asker.ask(&self.check, self.timing.timeout).await;
            self.next = (self.next + period).max(Instant::now());
            if let Some(verdict) = self.tally.add(answer.is_ok()) {
                return verdict;
            }
        }
    }

    /// The time that the container has to end after this probe failed, if the probe says one.
    pub(crate) fn grace(&self) -> Option<Duration> {
        self.timing.grace
    }
}

/// Runs a hook to its end or to the deadline.
pub(crate) async fn run_hook(asker: &Asker, check: &Check, longest: Duration) -> Result<()> {
    match check {
        Check::Sleep(time) => {
            tokio::time::sleep((*time).min(longest)).await;
            Ok(())
        }
        check => asker.ask(check, longest).await,
    }
}
