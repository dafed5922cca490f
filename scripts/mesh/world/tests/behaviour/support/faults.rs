//! A Service that is asked over and over: when it had the fault, and when not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Client, Deadline, Request};
use tokio::task::JoinHandle;
use world::World;

use super::{address, run_workload};

/// A policy for the `frontend` of each namespace.
pub(crate) const EVERY_FRONTEND: &str = "\
metadata: {name: everywhere}
spec:
  selector: {service: frontend, namespace: '*'}
  rules:
    - fault: {percentage: 100, abort: {httpStatus: 503}}
";

/// The time for which all answers must have the fault, so that no replica of the Service is without it.
const LASTING: Duration = Duration::from_secs(3);

/// The time between two requests.
const PERIOD: Duration = Duration::from_millis(100);

/// The answers of a Service, as changes from with to without a fault (503) and back.
#[derive(Debug)]
pub(crate) struct Faults {
    changes: Arc<Mutex<Vec<(Instant, bool)>>>,
    asking: JoinHandle<()>,
}

impl Faults {
    /// Begins to ask. A request that fails counts as one without the fault.
    pub(crate) fn of(address: SocketAddr, request: Request) -> Result<Self> {
        let changes = Arc::new(Mutex::new(Vec::new()));
        // By new connections all Pods of the Service are asked in turn.
        let client = Client::without_reuse()?;
        let seen = changes.clone();
        let asking = tokio::spawn(async move {
            loop {
                let answer = client.send(address, &request).await;
                note(&seen, answer.is_ok_and(|answer| answer.status == 503));
                tokio::time::sleep(PERIOD).await;
            }
        });
        Ok(Self { changes, asking })
    }

    /// The moments at which the fault went and came, after a moment.
    pub(crate) fn changes_after(&self, moment: Instant) -> Vec<(Instant, bool)> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().copied().filter(|(at, _)| *at > moment).collect()
    }

    /// Waits until the Service has the fault, or has it no more, and returns when that began.
    pub(crate) async fn until(
        &self,
        what: &'static str,
        is_faulted: bool,
        patience: Duration,
    ) -> Result<Instant> {
        let deadline = Deadline::of_costly(what, patience);
        loop {
            let last = self.changes.lock().unwrap_or_else(PoisonError::into_inner).last().copied();
            match last {
                Some((at, last)) if last == is_faulted => return Ok(at),
                _ => deadline.pause().await?,
            }
        }
    }

    /// Waits until all answers have the fault for a while, and returns when that began.
    pub(crate) async fn until_lasting(&self, what: &'static str, patience: Duration) -> Result<Instant> {
        let deadline = Deadline::of_costly(what, patience);
        loop {
            let began = self.until(what, true, patience).await?;
            if began.elapsed() > LASTING {
                return Ok(began);
            }
            deadline.pause().await?;
        }
    }
}

/// Adds an answer that differs from the last one.
fn note(changes: &Mutex<Vec<(Instant, bool)>>, is_faulted: bool) {
    let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
    if changes.last().is_none_or(|(_, last)| *last != is_faulted) {
        changes.push((Instant::now(), is_faulted));
    }
}

/// Runs a `frontend` in a namespace, and asks it from now on.
pub(crate) async fn frontend(world: &World, namespace: &str) -> Result<Faults> {
    run_workload(world, namespace, "frontend").await?;
    Faults::of(address(world, namespace, "frontend").await?, Request::get("/"))
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.asking.abort();
    }
}
