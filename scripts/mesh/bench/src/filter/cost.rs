//! The rate of requests, beside the same Envoy without the filter, with Envoy's own fault filter,
//! with a filter of the SDK that does nothing, and with another build of the filter if one is named.

use anyhow::Result;
use harness::{Client, Envoy, paths};

use crate::{
    cores::Cores,
    rules::{HEADER, Rules},
    served::Served,
    throughput::{Contestant, ROUNDS, contest},
};

const MANY: usize = 10_000;

/// By name, with the least share of the filterless Envoy's throughput that is asked for.
const NAMES: [(&str, Option<f64>); 8] = [
    ("no filter", None),
    ("Envoy's own fault filter, no match", None),
    ("a filter of the SDK that does nothing", None),
    ("hfi, policies for another service", Some(0.92)),
    ("the same at a gateway", None),
    ("hfi, 10,000 rules, no match", Some(0.83)),
    ("hfi, 10,000 rules for paths, no match", None),
    ("hfi, 10,000 rules, one applies at 0 %", None),
];

/// What follows them, if there is another build.
const OTHERS: [&str; 2] = ["the other build, for another service", "the other build, one applies at 0 %"];

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let mut contestants = contestants(cores, client).await?;
    contest(&mut contestants).await?;

    println!("medians of {ROUNDS} interleaved rounds: the same request through Envoy, one worker\n");
    println!(
        "{:<38}{:>11}{:>16}{:>8}{:>17}{:>16}",
        "", "requests/s", "of no filter's", "target", "CPU µs a request", "of no filter's"
    );
    let Some(bare) = contestants.first() else { return Ok(()) };
    let others = OTHERS.map(|name| (name, None));
    for ((name, target), contestant) in NAMES.iter().chain(&others).zip(&contestants) {
        let target = target.map_or(String::new(), |target| format!("{target:.2}"));
        println!(
            "{name:<38}{:>11.0}{:>16.3}{target:>8}{:>17.2}{:>16.3}",
            contestant.throughput(),
            contestant.share_of(bare),
            contestant.time_per_request() * 1e6,
            contestant.allowance_of(bare),
        );
    }
    if let [.., elsewhere, _, _, _, applying, other_elsewhere, other_applying] = contestants.as_slice()
        && paths::other_filter().is_some()
    {
        println!("\nbeside the other build, requests/s and by CPU time:");
        for (name, own, other) in [
            ("for another service", elsewhere, other_elsewhere),
            ("one applies at 0 %", applying, other_applying),
        ] {
            println!("{name:<38}{:>11.3}{:>16.3}", own.share_of(other), own.allowance_of(other));
        }
    }
    println!(
        "\nthe filterless Envoy was at work for {:.0} % of the time: if that is less than 95 %, others used \
         the machine,\nand only the CPU time tells what a request costs",
        bare.utilisation() * 100.0
    );
    println!("for comparison, measured earlier and not in this run: the first generation's plugin, 0.49");
    Ok(())
}

/// In the order of their names.
async fn contestants(cores: Cores, client: &Client) -> Result<Vec<Contestant>> {
    let without_hfi = [
        cores.sidecar().without_filter(),
        cores.sidecar().without_filter().envoys_own_fault(HEADER.0, "somebody else"),
        cores.sidecar().module(&paths::noop()?),
    ];
    let mut contestants = Vec::new();
    for sidecar in without_hfi {
        contestants.push(Contestant::new(Envoy::start(sidecar, client).await?, None, client).await?);
    }
    let rules = Rules::of(MANY);
    let elsewhere = rules.service("payments");
    let mut with_hfi = vec![
        (elsewhere, cores.sidecar()),
        (elsewhere, cores.sidecar().gateway()),
        (rules, cores.sidecar()),
        (rules.paths_alone(), cores.sidecar()),
        (rules.applying(), cores.sidecar()),
    ];
    if let Some(other) = paths::other_filter() {
        with_hfi.push((elsewhere, cores.sidecar().module(&other)));
        with_hfi.push((rules.applying(), cores.sidecar().module(&other)));
    }
    for (rules, sidecar) in with_hfi {
        let served = Served::start(rules, client).await?;
        let envoy = served.followed_by(sidecar, client).await?;
        contestants.push(Contestant::new(envoy, Some(served), client).await?);
    }
    Ok(contestants)
}
