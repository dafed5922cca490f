use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Behaviour, Client, Deadline, Request};
use tokio::task::JoinSet;

use crate::scripted::{Scripted, aborting};

/// Enough for each of four workers to have some of them, but for one case in thousands.
const CONNECTIONS: usize = 40;
const ATTEMPTS: u16 = 7;

/// In the median of some attempts: what else this machine does counts as well.
#[tokio::test]
async fn within_a_quarter_second_of_the_answer() -> Result<()> {
    let scripted = Scripted::with(Behaviour::Serve(aborting(500)?), |sidecar| {
        sidecar.concurrency(4).plugin("poll_wait_seconds", 30.into())
    })
    .await?;
    scripted.answers(500).await?;
    // Each has one connection, and with it one worker.
    let clients = (0..CONNECTIONS).map(|_| Client::new()).collect::<Result<Vec<_>>>()?;
    all(&clients, &scripted, 500).await?;

    let mut times = Vec::new();
    for status in 501..=500 + ATTEMPTS {
        // A poll must be held, so that it is answered when the policy changes; each for another time,
        // for what the workers do at intervals can be in step with when it began.
        let held_for = Duration::from_millis(30) * u32::from(status - 500);
        let answered = scripted.control_plane.polled("a poll that is held", |polls| {
            polls.last().is_some_and(|poll| poll.ended.is_none() && poll.began.elapsed() > held_for)
        });
        let number = answered.await?.len() - 1;
        scripted.control_plane.becomes(Behaviour::Serve(aborting(status)?));
        let last = all(&clients, &scripted, status).await?;
        let poll = scripted.control_plane.polls().swap_remove(number);
        times.push(last - poll.ended.context("it was answered")?);
    }
    times.sort_unstable();
    println!("from the answer to the last of {CONNECTIONS} connections: {times:?}");
    assert!(times[usize::from(ATTEMPTS / 2)] < Duration::from_millis(250), "{times:?}");
    Ok(())
}

/// Asks over every connection until its answer has this status; tells when the last one had.
async fn all(clients: &[Client], scripted: &Scripted, status: u16) -> Result<Instant> {
    let mut asking = JoinSet::new();
    for client in clients {
        let (client, address) = (client.clone(), scripted.envoy.address());
        asking.spawn(async move {
            let deadline = Deadline::of("the new status", Duration::from_secs(10));
            while client.send(address, &Request::get("/")).await?.status != status {
                deadline.pause().await?;
            }
            anyhow::Ok(Instant::now())
        });
    }
    let times: Vec<Instant> = asking.join_all().await.into_iter().collect::<Result<_>>()?;
    times.into_iter().max().context("no connection")
}
