//! The process that plans ends with the leader, and its own end removes nothing.

use serde_json::json;

use crate::support::{
    artifacts::{PATIENCE, World, pairs, ready},
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

#[tokio::test]
async fn a_plan_whose_process_is_killed_removes_nothing_and_is_made_again() {
    let (world, hfi) = world().await;
    let process = child(&hfi, COMMAND).await;
    signal(&process, "STOP");
    world.remove("reviews");
    world.write("ratings", "{host: ratings}");
    let commit = world.push("Replace it").await;
    let is_asked = || hfi.all_said("planning").iter().any(|said| said["commit"] == commit.as_str());
    until("the process is asked", PATIENCE, async || is_asked().then_some(())).await;
    signal(&process, "KILL");
    let told = "the newest commit cannot be planned: the process that plans: it died (signal: 9 (SIGKILL))";
    let frozen = world.artifact("it is told", &hfi, |status| ready(status).1.contains(told)).await;
    assert_eq!(world.hosts(&frozen, &hfi).await, pairs(&[("reviews", "reviews")]));
    let next = world.artifact("it is mended", &hfi, |status| ready(status).0 == "True").await;
    assert_eq!(world.hosts(&next, &hfi).await, pairs(&[("ratings", "ratings")]));
}

#[tokio::test]
async fn the_process_ends_with_the_lease_and_with_the_server() {
    let (world, hfi) = world().await;
    let process = child(&hfi, COMMAND).await;
    let other = json!({"spec": {"holderIdentity": "another", "leaseDurationSeconds": 15}}).to_string();
    world.api.ask("PATCH", LEASE, &MERGE, &other).await.unwrap();
    ended(&process, PATIENCE).await;
    peer(&hfi, "it leads no more", |peer| peer["leader"] == false).await;

    world.api.ask("DELETE", LEASE, &[], "").await.unwrap();
    peer(&hfi, "it leads again", |peer| peer["leader"] == true).await;
    let process = child(&hfi, COMMAND).await;
    drop(hfi);
    ended(&process, PATIENCE).await;
}
