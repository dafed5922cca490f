//! Requests that go on while a test disturbs the mesh.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Answer, Client, Request};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Connections to each address; the workers of its proxy share them.
const CONNECTIONS: usize = 4;

/// Between the requests of one connection.
const PAUSE: Duration = Duration::from_millis(100);

/// So many requests in a row pass by chance once in a hundred million, where half of them are hit.
const CHANCE: usize = 26;

/// Running requests. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Traffic {
    seen: Arc<Mutex<Vec<Seen>>>,
    _senders: JoinSet<()>,
}

/// One request.
#[derive(Clone, Debug)]
struct Seen {
    to: SocketAddr,
    began: Instant,
    ended: Instant,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// By a policy.
    Aborted,
    Failed(String),
}

impl Traffic {
    /// Begins to ask some addresses.
    pub(crate) fn to(addresses: &[SocketAddr]) -> Result<Self> {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let mut senders = JoinSet::new();
        for to in addresses.iter().flat_map(|address| [*address; CONNECTIONS]) {
            let (client, seen) = (Client::new()?, Arc::clone(&seen));
            senders.spawn(async move {
                loop {
                    let began = Instant::now();
                    let outcome = outcome(client.send(to, &Request::get("/")).await);
                    let one = Seen { to, began, ended: Instant::now(), outcome };
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(one);
                    sleep(PAUSE).await;
                }
            });
        }
        Ok(Self { seen, _senders: senders })
    }

    /// Fails if a request to one of these addresses failed, since then, that no policy names.
    pub(crate) fn failed_nowhere(&self, addresses: &[SocketAddr], since: Instant) -> Result<()> {
        let seen = self.seen();
        let of_these = seen.iter().filter(|one| addresses.contains(&one.to) && one.began >= since);
        let mut failures = of_these.clone().filter(|one| matches!(one.outcome, Outcome::Failed(_)));
        let first = failures.next();
        let rest = failures.count();
        ensure!(first.is_none(), "{} of {} requests: {first:?}", rest + 1, of_these.count());
        Ok(())
    }

    /// Fails if a request to this address did not get through unharmed.
    pub(crate) fn was_spared(&self, address: SocketAddr) -> Result<()> {
        let seen = self.seen();
        let mut of_this = seen.iter().filter(|one| one.to == address).peekable();
        ensure!(of_this.peek().is_some(), "nobody asked {address}");
        let harmed = of_this.find(|one| one.outcome != Outcome::Passed);
        ensure!(harmed.is_none(), "no policy is for it: {harmed:?}");
        Ok(())
    }

    /// The longest time, since then, in which requests passed to this address and a policy for half of them hit none.
    /// A few that pass by chance are no such time.
    pub(crate) fn longest_without_fault(&self, address: SocketAddr, since: Instant) -> Duration {
        let seen = self.seen();
        let mut of_this: Vec<_> = seen.iter().filter(|one| one.to == address && one.ended >= since).collect();
        of_this.sort_unstable_by_key(|one| one.ended);
        let lulls = of_this.split(|one| one.outcome == Outcome::Aborted).filter(|lull| lull.len() > CHANCE);
        lulls.filter_map(|lull| Some(lull.last()?.ended - lull.first()?.ended)).max().unwrap_or_default()
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome(answer: Result<Answer>) -> Outcome {
    match answer {
        Ok(answer) if answer.aborted() => Outcome::Aborted,
        Ok(answer) if answer.status == 200 => Outcome::Passed,
        Ok(answer) => Outcome::Failed(format!("{}: {}", answer.status, answer.body)),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }
}
