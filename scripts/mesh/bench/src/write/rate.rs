//! Changes a second, each a commit, that 20 clients make at once; none may be lost.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use harness::{Client, Reconciler, Repository};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    median,
    writer::{self, Origin, Transport},
};

const CLIENTS: usize = 20;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(10);
/// Pushes of the peer in a round.
const PUSHES: u16 = 20;

/// The changes of one round.
#[derive(Debug, Default)]
struct Round {
    requests: Vec<String>,
    took: Vec<Duration>,
    elapsed: Duration,
    /// The processor time of the clients, by elapsed time: 1 is a core.
    own: f64,
    /// That of the replica for each change, in milliseconds.
    processor: f64,
}

pub(crate) async fn run() -> Result<()> {
    println!(
        "\nmedians of {ROUNDS} interleaved rounds; {CLIENTS} clients at once, one replica, each change a commit\n"
    );
    println!(
        "{:<10}{:>12}{:>10}{:>10}{:>18}{:>17}{:>12}{:>15}",
        "over",
        "changes/s",
        "p50 ms",
        "p99 ms",
        "CPU ms a change",
        "git's pushes/s",
        "times git",
        "client's core"
    );
    for (transport, over) in Transport::ALL {
        let repository = Repository::new().await?;
        let origin = Origin::of(&repository, transport).await?;
        let mut reconciler = origin.reconciler().await?;
        let client = Client::new()?;
        reconciler.ready(&client).await?;
        let reconciler = Arc::new(reconciler);
        let (mut rounds, mut pushes) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            rounds.push(change(&reconciler, &client, round).await?);
            pushes.push(push(&repository, &origin.url, round).await?);
        }
        nothing_is_lost(&repository, &rounds).await?;
        let rates = rounds.iter().map(|round| round.took.len() as f64 / round.elapsed.as_secs_f64());
        let (rate, pushes) = (median(rates.collect()), median(pushes));
        let own = median(rounds.iter().map(|round| round.own).collect());
        let processor = median(rounds.iter().map(|round| round.processor).collect());
        let mut took: Vec<_> = rounds.into_iter().flat_map(|round| round.took).collect();
        took.sort_unstable();
        let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied().unwrap_or_default();
        println!(
            "{over:<10}{rate:>12.0}{:>10.0}{:>10.0}{processor:>18.1}{pushes:>17.1}{:>12.1}{own:>15.2}",
            at(0.5).as_secs_f64() * 1_000.0,
            at(0.99).as_secs_f64() * 1_000.0,
            rate / pushes
        );
    }
    println!("\nAll acknowledged changes are in the history, once.");
    Ok(())
}

/// Each client changes a policy of its own, again and again.
async fn change(reconciler: &Arc<Reconciler>, client: &Client, round: usize) -> Result<Round> {
    let (began, processor) = (Instant::now(), clock_gettime(ClockId::ProcessCPUTime));
    let before = reconciler.processor_time()?;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (reconciler, client) = (Arc::clone(reconciler), client.clone());
        clients.spawn(async move {
            let name = format!("policy-{number}");
            let mut changes = Round::default();
            for turn in 0_u16.. {
                if began.elapsed() >= ROUND {
                    break;
                }
                // Each differs from the one before, in this round and in the last.
                let status = 400 + (turn + u16::try_from(round)? * 37) % 199;
                let text = writer::policy(&name, "checkout", status);
                let answer = writer::send(&client, &reconciler, &writer::put(&name, &text)).await?;
                let body: Value = serde_json::from_str(&answer.body)?;
                if body.get("commit").is_some_and(Value::is_string) {
                    let request = body.get("request").and_then(Value::as_str);
                    changes.requests.push(request.context("an answer without an id")?.to_owned());
                    changes.took.push(answer.took);
                }
            }
            anyhow::Ok(changes)
        });
    }
    let mut all = Round::default();
    while let Some(changes) = clients.join_next().await {
        let changes = changes??;
        all.requests.extend(changes.requests);
        all.took.extend(changes.took);
    }
    all.elapsed = began.elapsed();
    let replica = reconciler.processor_time()?.saturating_sub(before);
    all.processor = replica.as_secs_f64() * 1_000.0 / all.took.len() as f64;
    let used = clock_gettime(ClockId::ProcessCPUTime) - processor;
    all.own = (used.tv_sec as f64 + used.tv_nsec as f64 / 1e9) / all.elapsed.as_secs_f64();
    Ok(all)
}

/// The pushes a second of one who commits and pushes by hand.
async fn push(repository: &Repository, url: &str, round: usize) -> Result<f64> {
    repository.git(&["pull", "--quiet", "--rebase", url, "main"]).await?;
    let began = Instant::now();
    for push in 0..PUSHES {
        let status = 400 + (push + u16::try_from(round)?) % 199;
        repository.write("by-hand.yaml", &writer::policy("by-hand", "checkout", status))?;
        repository.git(&["add", "--all"]).await?;
        repository.git(&["commit", "--quiet", "--message", "By hand"]).await?;
        repository.git(&["push", "--quiet", url, "HEAD:main"]).await?;
    }
    Ok(f64::from(PUSHES) / began.elapsed().as_secs_f64())
}

async fn nothing_is_lost(repository: &Repository, rounds: &[Round]) -> Result<()> {
    let bare = repository.bare();
    let bare = bare.to_str().context("a path of UTF-8")?;
    let format = "--format=%(trailers:key=Hfi-Request,valueonly,separator=)";
    let log = repository.git(&["-C", bare, "log", format, "main"]).await?;
    let lines: Vec<_> = log.lines().filter(|line| !line.is_empty()).collect();
    let once: HashSet<_> = lines.iter().copied().collect();
    ensure!(once.len() == lines.len(), "a change was made twice");
    for request in rounds.iter().flat_map(|round| &round.requests) {
        ensure!(once.contains(request.as_str()), "the change {request} is lost");
    }
    Ok(())
}
