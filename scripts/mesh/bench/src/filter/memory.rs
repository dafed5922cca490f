//! The memory of one VM of the filter. An Envoy of nine workers has eight VMs more than an Envoy of one,
//! and otherwise only eight workers; the same two without the filter tell what those take. So a VM
//! takes an eighth of what is left when the second difference is subtracted from the first.

use anyhow::Result;
use harness::{Client, Envoy, Sidecar};

use crate::{cores::Cores, median, rules::Rules, served::Served, throughput::load};

const FEW: usize = 1;
const MANY: usize = 9;
/// Enough for every worker to get some.
const CONNECTIONS: usize = 128;
const ROUNDS: usize = 3;
const RULES: usize = 1_000;

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let for_others = Served::start(Rules::of(RULES).service("payments"), client).await?;
    let for_all = Served::start(Rules::of(RULES), client).await?;
    let (mut without_rules, mut with_rules) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = of_a_worker(cores.sidecar().without_filter(), None, client).await?;
        without_rules.push(of_a_worker(cores.sidecar(), Some(&for_others), client).await? - bare);
        with_rules.push(of_a_worker(cores.sidecar(), Some(&for_all), client).await? - bare);
    }
    println!("medians of {ROUNDS} rounds: memory of one VM, MiB\n");
    for (rules, mebibytes) in [("no rule", without_rules), ("1,000 rules", with_rules)] {
        println!("{rules:<16}{:>8.2}", median(mebibytes));
    }
    Ok(())
}

/// By how many MiB an Envoy grows with each worker.
async fn of_a_worker(sidecar: Sidecar, served: Option<&Served>, client: &Client) -> Result<f64> {
    let few = of_all(sidecar.clone().concurrency(FEW), served, client).await?;
    let many = of_all(sidecar.concurrency(MANY), served, client).await?;
    Ok((many - few) / (MANY - FEW) as f64 / 1024.0 / 1024.0)
}

/// The memory of an Envoy whose every worker has done something.
async fn of_all(sidecar: Sidecar, served: Option<&Served>, client: &Client) -> Result<f64> {
    let envoy = match served {
        Some(served) => served.followed_by(sidecar, client).await?,
        None => Envoy::start(sidecar, client).await?,
    };
    load(envoy.address(), CONNECTIONS).await?;
    Ok(envoy.memory()? as f64)
}
