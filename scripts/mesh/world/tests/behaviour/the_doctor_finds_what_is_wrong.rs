//! Each fault is made for real in one world, found by `hfi doctor`, and mended; in between it finds nothing.

use anyhow::Result;
use harness::Repository;

use crate::doctor::{control_plane, finds, obstacles, plugins, proxies, show_istiod};
use crate::person::types;
use crate::support::{deploy, run_workload, serve, start};

#[tokio::test]
async fn and_what_to_do_next() -> Result<()> {
    let world = start().await?;
    let policies = Repository::new().await?;
    let git = serve(&world, &policies).await?;
    control_plane::is_missing(&world).await?;

    show_istiod(&world).await?;
    deploy(&world, "default").await?;
    world.kubectl(&["create", "namespace", "demo"]).await?;
    world.kubectl(&["label", "namespace", "demo", "istio-injection=enabled"]).await?;
    types(&world, "kubectl apply -n demo -k k8s/plugin/sidecar").await?;
    for name in ["frontend", "backend"] {
        run_workload(&world, "demo", name).await?;
    }
    let is_well = async || finds(&world, "nothing wrong", &[]).await;
    is_well().await?;

    control_plane::has_an_old_istio(&world, "older than 1.22").await?;
    control_plane::is_told_not_to(&world, &policies).await?;
    plugins::are_wrong(&world).await?;
    plugins::overlap(&world).await?;
    is_well().await?;
    obstacles::ports(&world).await?;
    is_well().await?;
    proxies::are_missing(&world, &policies).await?;
    proxies::are_refused(&world, &policies).await?;
    proxies::run_one_side(&world, &policies).await?;
    is_well().await?;
    proxies::are_hidden_from(&world, &policies).await?;
    is_well().await?;
    proxies::ask_for_another_module(&world).await?;
    is_well().await?;
    proxies::lose_a_race(&world).await?;
    is_well().await?;
    control_plane::is_behind(&world, &policies).await?;
    is_well().await?;
    control_plane::has_no_rights(&world, &policies).await?;
    is_well().await?;
    let _git = control_plane::cannot_read(&world, &policies, git).await?;
    is_well().await?;
    control_plane::asks_for_a_token(&world).await?;
    is_well().await?;
    control_plane::is_scaled_down(&world).await?;
    is_well().await?;
    world.end().await
}
