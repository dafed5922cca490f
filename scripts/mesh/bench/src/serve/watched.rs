//! Held polls of proxies that report counts, while people watch; and one overview of a large mesh.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use harness::{Client, Request};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    contestant::{Hfi, Server, with_policies},
    polls::{Round, WOKEN, measure},
};
use crate::{cores::Cores, median};

const ROUNDS: usize = 5;
/// People with the page open.
const WATCHERS: usize = 50;
/// The report of a proxy: two policies.
const REPORT: &str = "x-hfi-faults: 4k2j9x1q;checkout-errors=1000.301.301.0.0.0;_other=12.0.0.0.0.0\r\n";
const POLICIES: usize = 500;
const FILTERS: usize = 20_000;
/// The time for which an overview is given to all who ask.
const FRESH: Duration = Duration::from_millis(1_100);

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let (mut plain, mut reporting, mut watched) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for (rounds, report, watchers) in
            [(&mut plain, "", 0), (&mut reporting, REPORT, 0), (&mut watched, REPORT, WATCHERS)]
        {
            let server = Server::Hfi(Hfi::start(cores, client).await?);
            let mut watching = watch(server.address(), watchers, client).await?;
            rounds.push(measure(server, round, client, report).await?);
            // The server is gone now: each of them watched until here, and says what it saw.
            while let Some(watched) = watching.join_next().await {
                ensure!(watched?? > 0, "somebody who watches saw nothing");
            }
        }
    }
    println!(
        "medians of {ROUNDS} interleaved rounds on one core; beside polls without counts and without watchers\n"
    );
    let figure = |what: &str, rounds: &[Round], figure: fn(&Round) -> f64| {
        let ratio = rounds.iter().zip(&plain).map(|(own, plain)| figure(own) / figure(plain)).collect();
        let (value, ratio) = (median(rounds.iter().map(figure).collect()), median(ratio));
        println!("{what:<72}{value:>8.1}{ratio:>8.2}");
    };
    figure("memory of a parked poll without counts, KiB", &plain, |round| round.memory / 1024.0);
    figure("memory of a parked poll that reports two policies, KiB", &reporting, |round| {
        round.memory / 1024.0
    });
    figure("from the change to the last answer without counts, ms", &plain, |round| round.whole);
    figure("from the change to the last answer with counts, ms", &reporting, |round| round.whole);
    figure(&format!("the same of {WOKEN} while {WATCHERS} watch, ms"), &watched, |round| round.whole);
    large(cores, client).await
}

/// People who watch the page: each has a stream of events, and loads the page upon each event. The result is
/// the number of events, when the server ends.
async fn watch(address: SocketAddr, watchers: usize, client: &Client) -> Result<JoinSet<Result<usize>>> {
    let mut watching = JoinSet::new();
    for _ in 0..watchers {
        let mut events = TcpStream::connect(address).await?;
        events.write_all(b"GET /v1/events?overview=changed HTTP/1.1\r\nhost: hfi\r\n\r\n").await?;
        let client = client.clone();
        watching.spawn(async move {
            let (mut lines, mut seen) = (BufReader::new(events).split(b'\n'), 0);
            // A server that is killed may reset the connection.
            while let Ok(Some(line)) = lines.next_segment().await {
                if line.starts_with(b"event: overview") {
                    seen += 1;
                    let loaded = client.send(address, &Request::get("/")).await;
                    if let Ok(page) = loaded {
                        ensure!(page.status.is_success(), "the page is {page:?}");
                    }
                }
            }
            Ok(seen)
        });
    }
    Ok(watching)
}

/// The time and the size of the page and of what it is made of, with many policies and filters.
async fn large(cores: Cores, client: &Client) -> Result<()> {
    let (_folder, reconciler) = with_policies(cores, client, POLICIES).await?;
    let (address, before) = (reconciler.address(), reconciler.memory()?);
    for number in 0..FILTERS {
        let path = format!("/v1/snapshot?namespace=demo&service=s{}", number % POLICIES);
        let node = format!("sidecar~10.{}.{}.7~s-{number:05}.demo~demo", number / 256, number % 256);
        let report = format!("e{number};p{}=1000.300.300.0.0.0", number % POLICIES);
        let poll = Request::get(&path).header("x-hfi-node", &node).header("x-hfi-faults", &report);
        ensure!(client.send(address, &poll).await?.status.is_success(), "a poll failed");
    }
    println!(
        "\n{POLICIES} policies, {FILTERS} filters that report: {} MiB more",
        (reconciler.memory()? - before) >> 20
    );
    for path in ["/v1/overview", "/", "/v1/filters?limit=100", "/v1/policies/status"] {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..9 {
            sleep(FRESH).await;
            let begun = Instant::now();
            let answer = client.send(address, &Request::get(path)).await.context(path)?;
            ensure!(answer.status.is_success(), "{path}: {answer:?}");
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            bytes = answer.body.len();
        }
        println!("GET {path:<28} {:>8.1} ms {:>8.1} KB", median(times), bytes as f64 / 1_000.0);
    }
    Ok(())
}
