//! What sidecars have, gateways and waypoints have too: `hfi doctor` finds what is wrong there; with
//! `k8s/components/healing` a filter that was lost comes back within two minutes, and nobody does anything; and when
//! istiod and hfi go and come back, faults go on and follow the policies.

mod churn;
mod doctor;
mod edge;
mod lost_filters;

use std::time::Instant;

use anyhow::Result;

use edge::Edge;

#[tokio::test]
async fn are_diagnosed_healed_and_disturbed() -> Result<()> {
    let began = Instant::now();
    let mut edge = Edge::start().await?;
    println!("a gateway and a waypoint are ready after {:?}", began.elapsed());
    doctor::knows_what_is_missing(&edge).await?;
    doctor::knows_what_is_wrong(&edge).await?;
    println!("the doctor was asked after {:?}", began.elapsed());
    let places = edge.ask_everywhere().await?;
    lost_filters::come_back(&edge, &places).await?;
    println!("filters were lost and back after {:?}", began.elapsed());
    churn::changes_nothing(&mut edge, &places).await?;
    println!("istiod and hfi were back after {:?}", began.elapsed());
    edge.world.end().await
}
