//! The first request of a service at a waypoint after a snapshot, which finds out what rules are for its service.

use std::{net::TcpStream, time::Duration};

use anyhow::{Result, ensure};
use harness::Client;
use tokio::time::{Instant, sleep};

use super::open_loop::{Latencies, connect, exchange};
use crate::{
    cores::Cores,
    median,
    rules::Rules,
    served::{Served, UPDATES, applied},
};

const CHAIN: &str = "inbound-vip|8080|http|checkout.demo.svc.cluster.local";
const RULES: usize = 1_000;
const ROUNDS: usize = 200;
/// The time until every worker runs what one of them has heard of, and more.
const REST: Duration = Duration::from_millis(300);

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let rules = Rules::of(RULES).service("checkout");
    let served = Served::start(rules, client).await?;
    let envoy = served.followed_by(cores.sidecar().waypoint(&[CHAIN]), client).await?;
    let mut connection = connect(envoy.chain(0))?;
    let (mut rested, mut first) = (Vec::new(), Vec::new());
    for status in [500, 503].into_iter().cycle().take(ROUNDS) {
        let before = envoy.stat(UPDATES).await?;
        rested.push(after_rest(&mut connection).await?);
        ensure!(envoy.stat(UPDATES).await? == before, "a snapshot was applied while nothing was changed");
        rules.status(status).write_into(served.folder())?;
        applied(&envoy, before + 1).await?;
        first.push(after_rest(&mut connection).await?);
    }
    let pairs = first.iter().zip(&rested);
    let longer =
        median(pairs.map(|(first, rested)| (first.as_secs_f64() - rested.as_secs_f64()) * 1e3).collect());
    let (rested, first) = (Latencies::of(rested), Latencies::of(first));
    println!(
        "{ROUNDS} requests of a service at a waypoint, with 1,000 rules for it, after {REST:?} without any; ms\n"
    );
    println!("{:<32}{:>9}{:>9}", "", "p50", "p99");
    for (kind, latencies) in [("no snapshot came meanwhile", &rested), ("the first after a snapshot", &first)]
    {
        println!("{kind:<32}{:>9.2}{:>9.2}", latencies.at(0.5), latencies.at(0.99));
    }
    println!("\nthe first one takes {longer:.2} ms longer, as the median of pairs (target: at most 0.2 ms)");
    Ok(())
}

/// The time of a request after a rest.
async fn after_rest(connection: &mut TcpStream) -> Result<Duration> {
    sleep(REST).await;
    let began = Instant::now();
    exchange(connection)?;
    Ok(began.elapsed())
}
