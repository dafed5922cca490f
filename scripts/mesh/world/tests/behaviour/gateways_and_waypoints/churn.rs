//! istiod goes away, hfi moves to other addresses meanwhile, and istiod comes back.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::edge::{Edge, Place, until, were_faulted_since};
use crate::support::PATIENCE;
use crate::support::pods::{is_ready, pods};

/// The proxies that are connected to istiod.
const PROXIES: usize = 3;

/// A filter that has failed for long asks again every 30 s; the rest is for the polls of a busy machine.
const SOON: Duration = Duration::from_secs(45);

pub(super) async fn changes_nothing(edge: &mut Edge, places: &[Place]) -> Result<()> {
    let began = Instant::now();
    edge.world.stop_istiod().await?;
    edge.world.kubectl(&["delete", "pods", "--namespace=boifi", "--all", "--wait=false"]).await?;
    let moved = async |world: &world::World| {
        let replicas = pods(world, "boifi", None).await?;
        ensure!(replicas.len() == 2 && replicas.iter().all(is_ready), "the replicas are not ready");
        Ok(())
    };
    edge.world.wait_for("hfi at other addresses", PATIENCE, moved).await?;
    edge.world.start_istiod(PROXIES).await?;
    were_faulted_since(places, began)?;

    edge.mend_all().await?;
    until(places, "the end of the faults everywhere", false, SOON).await?;
    edge.break_all().await?;
    until(places, "the faults everywhere", true, SOON).await
}
