//! Held polls of proxies that report counts, while people watch; and one overview of a large mesh.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use harness::{Client, Reconciler, Request, Source, loopback};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    contestant::{Hfi, Server},
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
            let _watching = watch(server.address(), watchers, client).await?;
            rounds.push(measure(server, round, client, report).await?);
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

/// People who watch the page: each has a stream of events, and loads the page upon each event.
async fn watch(address: SocketAddr, watchers: usize, client: &Client) -> Result<JoinSet<Result<()>>> {
    let mut watching = JoinSet::new();
    for _ in 0..watchers {
        let mut events = TcpStream::connect(address).await?;
        events.write_all(b"GET /v1/events?overview=true HTTP/1.1\r\nhost: hfi\r\n\r\n").await?;
        let client = client.clone();
        watching.spawn(async move {
            let mut piece = vec![0; 64 * 1024];
            loop {
                let length = events.read(&mut piece).await?;
                ensure!(length > 0, "the stream of events has ended");
                if piece
                    .get(..length)
                    .unwrap_or_default()
                    .windows(15)
                    .any(|bytes| bytes == b"event: overview")
                {
                    client.send(address, &Request::get("/")).await?;
                }
            }
        });
    }
    Ok(watching)
}

/// The time and the size of the page and of what it is made of, with many policies and filters.
async fn large(cores: Cores, client: &Client) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let policies: Vec<_> = (0..POLICIES).map(policy).collect();
    fs::write(folder.path().join("policies.yaml"), policies.join("---\n"))?;
    let start = Reconciler::start(Source::Folder(folder.path().to_owned()), loopback());
    let mut reconciler = cores.start(start).await?;
    reconciler.ready(client).await?;
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

fn policy(number: usize) -> String {
    let selector = format!("selector: {{service: s{number}, namespace: demo}}");
    let rules = "rules: [{fault: {percentage: 30, abort: {httpStatus: 503}}}]";
    format!("metadata: {{name: p{number}}}\nspec: {{{selector}, {rules}}}\n")
}
