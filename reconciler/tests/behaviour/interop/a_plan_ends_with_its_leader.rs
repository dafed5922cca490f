//! The process that plans ends with the leader, and its own end removes nothing.

use serde_json::{Value, json};

use crate::support::{
    artifacts::{ARTIFACT, CONFIG_MAP, PATIENCE, World, pairs, ready},
    children::{child, ended, signal},
    cluster::{peer, until},
    flux::MERGE,
    process::Process,
};

const COMMAND: &str = "plan-for-serve";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/boifi/leases/hfi-control-plane";

async fn world() -> (World, Process) {
    let world = World::start().await;
    world.write("reviews", "{host: reviews}");
    world.push("Add one").await;
    let hfi = world.serve_as("admin", &[("HFI_LOG", "info,reconciler::planning=debug")]).await;
    world.artifact("an artifact", &hfi, |status| ready(status).0 == "True").await;
    (world, hfi)
}

/// Stops the process that plans, replaces the application, and waits until the process has been asked for that plan.
async fn stop_in_a_plan(world: &World, hfi: &Process) -> String {
    let process = child(hfi, COMMAND, PATIENCE).await;
    signal(&process, "STOP");
    world.remove("reviews");
    world.write("ratings", "{host: ratings}");
    let commit = world.push("Replace it").await;
    let is_asked = || hfi.all_said("planning").iter().any(|said| said["commit"] == commit.as_str());
    until("the process is asked", PATIENCE, async || is_asked().then_some(())).await;
    process
}

/// Waits until the application has been replaced.
async fn replaced(world: &World, hfi: &Process, before: &Value) {
    let is_new = |status: &Value| ready(status).0 == "True" && status["artifact"] != before["artifact"];
    let next = world.artifact("it is replaced", hfi, is_new).await;
    assert_eq!(world.hosts(&next, hfi).await, pairs(&[("ratings", "ratings")]));
}

#[tokio::test]
async fn a_plan_whose_process_is_killed_is_made_by_another_one_and_nothing_is_told() {
    let (world, hfi) = world().await;
    let before = world.api.get(ARTIFACT).await.unwrap()["status"].clone();
    signal(&stop_in_a_plan(&world, &hfi).await, "KILL");
    replaced(&world, &hfi, &before).await;
    assert_eq!(hfi.all_said("another process plans again").len(), 1);
    assert!(world.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_plan_whose_server_is_killed_ends_and_the_next_server_makes_it() {
    let (world, hfi) = world().await;
    let before = world.api.get(ARTIFACT).await.unwrap()["status"].clone();
    let process = stop_in_a_plan(&world, &hfi).await;
    let stored = world.api.get(CONFIG_MAP).await.unwrap();
    world.kill(hfi).await;
    signal(&process, "CONT");
    ended(&process, PATIENCE).await;
    assert_eq!(world.api.get(CONFIG_MAP).await.unwrap(), stored);
    assert_eq!(world.api.get(ARTIFACT).await.unwrap()["status"], before);
    let hfi = world.serve().await;
    replaced(&world, &hfi, &before).await;
}

#[tokio::test]
async fn the_process_ends_with_the_lease_and_with_the_server() {
    let (world, hfi) = world().await;
    let process = child(&hfi, COMMAND, PATIENCE).await;
    let other = json!({"spec": {"holderIdentity": "another", "leaseDurationSeconds": 15}}).to_string();
    world.api.ask("PATCH", LEASE, &MERGE, &other).await.unwrap();
    ended(&process, PATIENCE).await;
    peer(&hfi, "it leads no more", |peer| peer["leader"] == false).await;

    world.api.ask("DELETE", LEASE, &[], "").await.unwrap();
    peer(&hfi, "it leads again", |peer| peer["leader"] == true).await;
    let process = child(&hfi, COMMAND, PATIENCE).await;
    drop(hfi);
    ended(&process, PATIENCE).await;
}
