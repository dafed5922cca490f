//! The processor time that the module costs an Envoy at its start, most of which compiles it.

use anyhow::Result;
use harness::{Client, Envoy, Sidecar, paths};

use crate::{cores::Cores, median};

const ROUNDS: usize = 7;

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let other = paths::other_filter();
    let (mut costs, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = of_a_start(cores.sidecar().without_filter(), client).await?;
        let cost = of_a_start(cores.sidecar(), client).await? - bare;
        if let Some(other) = &other {
            ratios.push(cost / (of_a_start(cores.sidecar().module(other), client).await? - bare));
        }
        costs.push(cost);
    }
    println!(
        "median of {ROUNDS} rounds: {:.0} ms of processor time until an Envoy takes traffic, more than without \
         the filter (target: at most 200 ms)",
        median(costs)
    );
    if other.is_some() {
        println!("that is {:.2} times what the other build costs", median(ratios));
    }
    Ok(())
}

/// In milliseconds.
async fn of_a_start(sidecar: Sidecar, client: &Client) -> Result<f64> {
    let envoy = Envoy::start(sidecar, client).await?;
    Ok(envoy.processor_time()?.as_secs_f64() * 1e3)
}
