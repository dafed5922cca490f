//! The processor time that the module costs an Envoy at its start, most of which compiles it.

use anyhow::Result;
use harness::{Client, Envoy, Sidecar};

use crate::{cores::Cores, median};

const ROUNDS: usize = 7;

pub(crate) async fn run(cores: Cores, client: &Client) -> Result<()> {
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        let bare = of_a_start(cores.sidecar().without_filter(), client).await?;
        costs.push(of_a_start(cores.sidecar(), client).await? - bare);
    }
    println!(
        "median of {ROUNDS} rounds: {:.0} ms of processor time until an Envoy takes traffic, more than without \
         the filter (target: at most 200 ms)",
        median(costs)
    );
    Ok(())
}

/// In milliseconds.
async fn of_a_start(sidecar: Sidecar, client: &Client) -> Result<f64> {
    let envoy = Envoy::start(sidecar, client).await?;
    Ok(envoy.processor_time()?.as_secs_f64() * 1e3)
}
