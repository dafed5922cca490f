//! Flux applies `flux/` as it is, from a Git server, with no address changed. The steps share a cluster, which
//! takes a minute; each is a file.

mod a_cluster_takes_another_stack;
mod applications_are_applied;
mod bootstrap;
mod commits_are_followed;
mod drift_is_set_back;
mod existing_mesh;
mod forges_are_heard;
mod links_wait_for_health;
mod new_charts_are_taken;
mod only_signed_commits_count;
mod policies_fault_in_sidecars;
mod production;
mod pushes_are_notified;
mod repairs_overtake_rollouts;
mod support;
mod unsigned_policies_are_refused;
mod upgrades_keep_every_filter;
mod what_is_removed_is_pruned;

use std::time::Instant;

use anyhow::{Context, Result};

use support::{apply, settings, start, until_ready};

#[tokio::test]
async fn a_cluster_of_sidecars_follows_git() -> Result<()> {
    let began = Instant::now();
    let mut world = start().await?;
    println!("Flux runs after {:?}", began.elapsed());
    let policies = "POLICIES_URL=https://git.example/sre/fault-policies.git";
    settings(&world, &[policies, "POLICIES_INTERVAL=1s"]).await?;
    apply(&world, "sidecar").await?;
    links_wait_for_health::step(&mut world).await.context("links wait for health")?;
    until_ready(&mut world).await?;
    println!("every link is ready after {:?}", began.elapsed());
    policies_fault_in_sidecars::step(&mut world).await.context("policies fault in sidecars")?;
    println!("a policy has faulted after {:?}", began.elapsed());
    commits_are_followed::step(&mut world).await.context("commits are followed")?;
    println!("commits were followed after {:?}", began.elapsed());
    drift_is_set_back::step(&mut world).await.context("drift is set back")?;
    println!("drift was set back after {:?}", began.elapsed());
    what_is_removed_is_pruned::step(&mut world).await.context("what is removed is pruned")?;
    println!("a link was pruned after {:?}", began.elapsed());
    let newer = new_charts_are_taken::step(&mut world).await.context("new charts are taken")?;
    println!("a newer chart is there after {:?}", began.elapsed());
    a_cluster_takes_another_stack::step(&mut world).await.context("a cluster takes another stack")?;
    new_charts_are_taken::are_of(&world, &newer).await?;
    println!("the stack local is ready after {:?}", began.elapsed());
    world.end().await
}

#[tokio::test]
async fn a_production_cluster_believes_signatures() -> Result<()> {
    let began = Instant::now();
    let mut world = start().await?;
    production::prepare(&world, "alice").await?;
    println!("Flux runs after {:?}", began.elapsed());
    bootstrap::begin(&world).await?;
    until_ready(&mut world).await?;
    bootstrap::is_applied(&world).await.context("Flux applies itself")?;
    println!("every link is ready after {:?}", began.elapsed());
    pushes_are_notified::step(&mut world).await.context("pushes are notified")?;
    println!("notifications came after {:?}", began.elapsed());
    forges_are_heard::step(&mut world).await.context("forges are heard")?;
    println!("all forges were heard after {:?}", began.elapsed());
    unsigned_policies_are_refused::step(&mut world, "alice", "checkout-errors")
        .await
        .context("unsigned policies are refused")?;
    println!("hfi refused policies after {:?}", began.elapsed());
    only_signed_commits_count::step(&mut world, &["alice", "bob"])
        .await
        .context("only signed commits count")?;
    println!("signatures were checked after {:?}", began.elapsed());
    world.end().await
}

#[tokio::test]
async fn a_cluster_that_has_a_mesh_gets_hfi_and_its_upgrades() -> Result<()> {
    let (began, images) = (Instant::now(), tempfile::tempdir()?);
    let (mut world, next) = existing_mesh::start(images.path()).await?;
    println!("Flux and Istio run after {:?}", began.elapsed());
    let (releases, faults) = existing_mesh::step(&mut world, next).await.context("an existing mesh")?;
    println!("a policy faults after {:?}", began.elapsed());
    repairs_overtake_rollouts::step(&mut world, &releases, &faults)
        .await
        .context("repairs overtake rollouts")?;
    println!("a rollout was repaired after {:?}", began.elapsed());
    upgrades_keep_every_filter::step(&mut world, &releases, &faults)
        .await
        .context("upgrades keep every filter")?;
    println!("four upgrades are done after {:?}", began.elapsed());
    drop(faults);
    world.end().await
}

#[tokio::test]
async fn a_tenant_gets_what_its_applications_say() -> Result<()> {
    let began = Instant::now();
    let mut world = applications_are_applied::start().await?;
    println!("Flux and Istio run after {:?}", began.elapsed());
    applications_are_applied::step(&mut world).await?;
    println!("the last application is gone after {:?}", began.elapsed());
    world.end().await
}
