//! The effect of applying a snapshot on the requests that pass meanwhile.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Client, Envoy};
use policies::{Scope, wire::Format};
use tokio::time::{Instant, sleep_until};

use super::open_loop::{Latencies, OpenLoop, PER_SECOND};
use crate::{
    cores::Cores,
    median,
    rules::Rules,
    served::{Served, UPDATES, applied},
};

const RULES: usize = 1_000;
/// Of each kind, in turn.
const WINDOWS: usize = 8;
const WINDOW: Duration = Duration::from_secs(2);
/// Within a window: when the policies are changed.
const CHANGES: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(1_500)];

/// In how many of all requests a figure is not exceeded, and its name.
const PARTS: [(f64, &str); 4] = [(0.5, "p50"), (P99, "p99"), (0.999, "p99.9"), (1.0, "longest")];
const P99: f64 = 0.99;

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let ours = Rules::of(RULES);
    let others = ours.service("payments");
    let served = Served::start(ours, client).await?;
    let envoy = served.followed_by(cores.sidecar(), client).await?;
    let (mut quiet, mut changing) = (Vec::new(), Vec::new());
    for number in 0..WINDOWS {
        // Whichever comes first in one pair comes last in the next.
        for is_quiet in [number % 2 == 0, number % 2 == 1] {
            let (rules, latencies) = if is_quiet { (others, &mut quiet) } else { (ours, &mut changing) };
            let before = envoy.stat(UPDATES).await?;
            latencies.push(window(&envoy, rules, &served).await?);
            if is_quiet {
                ensure!(envoy.stat(UPDATES).await? == before, "a snapshot was applied in a quiet window");
            } else {
                applied(&envoy, before + CHANGES.len() as u64).await?;
            }
        }
    }

    let size = ours.snapshot(&Scope::new(["demo"], ["checkout"])?)?.encode(Format::V1).len();
    println!(
        "medians of {WINDOWS} interleaved windows of {WINDOW:?} of each kind: {PER_SECOND} requests a second \
         through Envoy, one worker,\nms from when each was due; {} snapshots of 1,000 rules, {size} bytes, \
         in each window\n",
        CHANGES.len()
    );
    let heads = PARTS.map(|(_, name)| format!("{name:>9}")).concat();
    println!("{:<32}{heads}", "snapshots are");
    for (kind, windows) in [("for another service", &quiet), ("for this one", &changing)] {
        let figures = PARTS.map(|(part, _)| median(windows.iter().map(|window| window.at(part)).collect()));
        println!("{kind:<32}{}", figures.map(|figure| format!("{figure:>9.2}")).concat());
    }
    let pairs = changing.iter().zip(&quiet);
    let longer = median(pairs.map(|(changing, quiet)| changing.at(P99) - quiet.at(P99)).collect());
    println!("\np99 is longer by {longer:.2} ms (target: at most 5 ms)");
    Ok(())
}

/// The policies are changed in the quiet windows too, but for somebody else: so the reconciler is as
/// busy in both kinds, and only the proxy is not.
async fn window(envoy: &Envoy, rules: Rules, served: &Served) -> Result<Latencies> {
    let load = OpenLoop::start(envoy.address(), WINDOW)?;
    let began = Instant::now();
    for (change, status) in CHANGES.into_iter().zip([500, 503].into_iter().cycle()) {
        sleep_until(began + change).await;
        rules.status(status).write_into(served.folder())?;
    }
    load.latencies()
}
