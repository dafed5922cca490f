//! What an installation is for, in one cluster: a pushed policy faults in a sidecar, and for nobody else; and the
//! cluster admits all manifests as they are.

mod first_fault;
mod manifests;

use anyhow::Result;

use crate::support::start;

#[tokio::test]
async fn and_faults_by_a_push_and_all_manifests_are_admitted() -> Result<()> {
    let mut world = start().await?;
    first_fault::is_injected(&world).await?;
    manifests::are_admitted(&mut world).await?;
    world.end().await
}
