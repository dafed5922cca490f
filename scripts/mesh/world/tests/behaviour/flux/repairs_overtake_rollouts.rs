//! A rollout that cannot succeed keeps its link from being Ready, and the commit that repairs it does not wait for it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use world::FluxWorld;

use super::existing_mesh::Releases;
use super::support::until_ready;
use super::upgrades_keep_every_filter::{name_module, revert, until_held_up};
use crate::support::faults::Faults;

/// The link's own limit is two minutes.
const SOON: Duration = Duration::from_secs(60);

pub(super) async fn step(world: &mut FluxWorld, releases: &Releases, faults: &Faults) -> Result<()> {
    let began = Instant::now();
    name_module(world, &releases.last, &releases.next).await?;
    until_held_up(world, &releases.next).await?;
    let repaired = Instant::now();
    revert(world).await?;
    until_ready(world).await?;
    println!("a repair overtook the rollout in {:?}", repaired.elapsed());
    ensure!(repaired.elapsed() < SOON);
    ensure!(faults.changes_after(began).is_empty(), "a rollout that cannot succeed takes the filter away");
    Ok(())
}
