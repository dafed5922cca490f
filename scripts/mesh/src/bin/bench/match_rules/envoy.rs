//! Requests that pass an Envoy of one worker, which answers them itself.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use mesh::{Answer, Client, Envoy, Reconciler, Request, Sidecar, Source, first, loopback};
use tempfile::TempDir;
use tokio::process::Command;

use super::{ABORTED, HEADER, PATH, files};
use crate::median;

const ROUNDS: usize = 5;
const SECONDS: &str = "3s";
const CONNECTIONS: &str = "32";

/// A proxy, and what it got done in each round.
struct Contestant {
    rules: Option<usize>,
    envoy: Envoy,
    throughputs: Vec<u64>,
    /// What serves its policies, from where.
    _served: Option<(Reconciler, TempDir)>,
}

pub(crate) async fn run(counts: &[usize]) -> Result<()> {
    let client = Client::new()?;
    let mut contestants = vec![Contestant::without_filter(&client).await?];
    for count in counts {
        contestants.push(Contestant::with_rules(*count, &client).await?);
    }
    for round in 0..ROUNDS {
        // Whoever comes first in one round comes last in another.
        let places = contestants.len();
        contestants.rotate_left(round % places);
        for contestant in &mut contestants {
            let throughput = throughput(contestant.envoy.address()).await?;
            contestant.throughputs.push(throughput);
        }
    }
    contestants.sort_by_key(|contestant| contestant.rules);
    println!(
        "medians of {ROUNDS} interleaved rounds of {SECONDS}: the same request through Envoy, one worker, \
         {CONNECTIONS} connections\n"
    );
    println!(
        "{:>16}{:>12}{:>15}{:>17}{:>19}",
        "rules", "requests/s", "of 10 rules'", "of no filter's", "filter's share, µs"
    );
    let medians: Vec<_> = contestants
        .into_iter()
        .map(|contestant| (contestant.rules, median(contestant.throughputs) as f64))
        .collect();
    let of =
        |rules| medians.iter().find(|(known, _)| *known == rules).map_or(f64::NAN, |(_, median)| *median);
    let (of_ten, of_none) = (of(Some(10)), of(None));
    for (rules, median) in &medians {
        let name = rules.map_or("without filter".to_owned(), |rules| rules.to_string());
        // One worker at its limit: the time that a request takes it.
        let share = (1.0 / median - 1.0 / of_none) * 1e6;
        println!("{name:>16}{median:>12.0}{:>15.3}{:>17.3}{share:>19.2}", median / of_ten, median / of_none);
    }
    Ok(())
}

impl Contestant {
    async fn without_filter(client: &Client) -> Result<Self> {
        let envoy = Envoy::start(sidecar().without_filter(), client).await?;
        Ok(Self { rules: None, envoy, throughputs: Vec::new(), _served: None })
    }

    async fn with_rules(rules: usize, client: &Client) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (number, text) in files(rules).iter().enumerate() {
            std::fs::write(folder.path().join(format!("{number}.yaml")), text)?;
        }
        let source = Source::Folder(folder.path().to_owned());
        let mut reconciler = Reconciler::start(source, loopback()).await?;
        reconciler.ready(client).await?;
        let envoy = Envoy::start(sidecar().following(reconciler.address()), client).await?;
        first(client, envoy.address(), &Request::get(ABORTED), Answer::aborted).await?;
        let request = Request::get(PATH).header(HEADER.0, HEADER.1);
        let passed = client.send(envoy.address(), &request).await?;
        ensure!(!passed.aborted(), "a rule applies to the request");
        Ok(Self { rules: Some(rules), envoy, throughputs: Vec::new(), _served: Some((reconciler, folder)) })
    }
}

fn sidecar() -> Sidecar {
    Sidecar::of("checkout", loopback()).concurrency(1).answering_itself()
}

/// Requests per second, as `wrk` counts them.
async fn throughput(address: SocketAddr) -> Result<u64> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", CONNECTIONS, "--duration", SECONDS])
        .args(["--header", &format!("{}: {}", HEADER.0, HEADER.1)])
        .arg(format!("http://{address}{PATH}"))
        .output()
        .await
        .context("running wrk")?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(output.status.success() && !text.contains("Non-2xx"), "wrk said:\n{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    let throughput: f64 = line.context("wrk counted nothing")?.trim().parse()?;
    Ok(throughput as u64)
}
