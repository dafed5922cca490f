//! A link whose objects nobody has looked at yet is not Ready: what has no status counts as healthy for Flux, unless
//! the link says what must be there.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use world::FluxWorld;

use super::support::{link, until};

/// Flux needs a tenth of it to take a link for ready.
const A_WHILE: Duration = Duration::from_secs(3);

pub(super) async fn step(world: &mut FluxWorld) -> Result<()> {
    world.cert_manager_signs(false)?;
    until(world, "the Certificate to be applied", async |world| {
        world.kubectl(&["get", "certificate", "cluster-ca", "--namespace=cert-manager"]).await.map(drop)
    })
    .await?;
    let began = Instant::now();
    until(world, "the link to be looked at for a while", async |world| {
        let link = link(world, "hfi-certs").await?;
        // Not by `ensure`, which would be tried again.
        assert!(!link.is_ready, "{link:?} is ready, and nothing is signed");
        ensure!(began.elapsed() > A_WHILE);
        Ok(())
    })
    .await?;
    world.cert_manager_signs(true)
}
