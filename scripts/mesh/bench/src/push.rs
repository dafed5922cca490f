//! The time until a change, or its removal, shows in a proxy. The peer is `git push` itself: nothing that is kept in
//! Git can take effect sooner than that.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Answer, Mesh, Push, Repository, Request, first};

use crate::{
    median,
    writer::{self, Origin, Transport},
};

const ROUNDS: usize = 21;
/// Between changes, so that each finds the proxy's poll held as it is when changes are rare.
const REST: Duration = Duration::from_millis(500);
/// The threads of the proxy.
const WORKERS: usize = 2;
const NAME: &str = "errors";
const SERVICE: &str = "frontend";

/// The times of all rounds over one transport.
#[derive(Debug, Default)]
struct Times {
    push: Vec<Duration>,
    pushed: Vec<Duration>,
    push_undone: Vec<Duration>,
    answered: Vec<Duration>,
    written: Vec<Duration>,
    write_undone: Vec<Duration>,
}

pub(crate) async fn run() -> Result<()> {
    println!("medians of {ROUNDS} interleaved rounds, from the start of `git push` or of the request\n");
    println!("{:<44}{:>10}{:>24}", "", "ms", "times `git push` alone");
    for (transport, over) in Transport::ALL {
        let times = measure(transport).await?;
        let push = median(times.push);
        println!("{:<44}{:>10.1}{:>24.2}", format!("`git push` alone, over {over}"), millis(push), 1.0);
        for (what, times) in [
            ("  git push: the first fault", times.pushed),
            ("  git push: the first request without", times.push_undone),
            ("  PUT: its answer", times.answered),
            ("  PUT: the first fault", times.written),
            ("  DELETE: the first request without", times.write_undone),
        ] {
            // A push over HTTP is seen at the next interval, or by a notification, and says nothing about hfi.
            if times.is_empty() {
                continue;
            }
            let time = median(times);
            println!("{what:<44}{:>10.1}{:>24.2}", millis(time), time.as_secs_f64() / push.as_secs_f64());
        }
    }
    Ok(())
}

async fn measure(transport: Transport) -> Result<Times> {
    let repository = Repository::new().await?;
    let origin = Origin::of(&repository, transport).await?;
    let reconciler = origin.reconciler().await?;
    let mesh = Mesh::around(repository, reconciler, &[], &[(SERVICE, 1)], WORKERS).await?;
    let address = *mesh.addresses(SERVICE).first().context("no proxy")?;
    let request = Request::get("/");
    let fault = async || first(&mesh.client, address, &request, Answer::aborted).await;
    let no_fault = async || first(&mesh.client, address, &request, |answer| !answer.aborted()).await;
    let policy = writer::policy(NAME, SERVICE, 503);
    let mut times = Times::default();
    for round in 0..ROUNDS {
        rest().await;
        if transport == Transport::Path {
            mesh.repository.write("errors.yaml", &policy)?;
            let push = push(&mesh.repository, &origin.url).await?;
            times.pushed.push(fault().await?.saturating_duration_since(push.began));
            times.push.push(push.returned.saturating_duration_since(push.began));

            rest().await;
            mesh.repository.remove("errors.yaml")?;
            let push = self::push(&mesh.repository, &origin.url).await?;
            times.push_undone.push(no_fault().await?.saturating_duration_since(push.began));
            times.push.push(push.returned.saturating_duration_since(push.began));
        } else {
            mesh.repository.write("README.md", &format!("Round {round}\n"))?;
            let push = push(&mesh.repository, &origin.url).await?;
            times.push.push(push.returned.saturating_duration_since(push.began));
        }

        rest().await;
        let (began, change) = (Instant::now(), writer::put(NAME, &policy));
        let (answered, faulted) =
            tokio::join!(writer::send(&mesh.client, &mesh.reconciler, &change), fault());
        times.answered.push(answered?.took);
        times.written.push(faulted?.saturating_duration_since(began));

        rest().await;
        let (began, change) = (Instant::now(), writer::delete(NAME));
        let (answered, healthy) =
            tokio::join!(writer::send(&mesh.client, &mesh.reconciler, &change), no_fault());
        answered?;
        times.write_undone.push(healthy?.saturating_duration_since(began));
        mesh.repository.git(&["pull", "--quiet", "--rebase", &origin.url, "main"]).await?;
    }
    Ok(times)
}

async fn rest() {
    tokio::time::sleep(REST).await;
}

/// Commits all, and pushes as everybody would.
async fn push(repository: &Repository, url: &str) -> Result<Push> {
    repository.git(&["add", "--all"]).await?;
    repository.git(&["commit", "--quiet", "--message", "By hand"]).await?;
    let began = Instant::now();
    repository.git(&["push", "--quiet", url, "HEAD:main"]).await?;
    Ok(Push { began, returned: Instant::now() })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
