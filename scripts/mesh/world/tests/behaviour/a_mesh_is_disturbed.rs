//! istiod goes away and returns, hfi moves to other addresses, its Service is made anew, Envoys and agents die, a node's
//! worth of Pods starts at once: each time every filter is back soon, each proxy has one poller however many workers it
//! has, faults are as policies say, and no other request fails.

mod fleet;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use fleet::{Fleet, NAMESPACE};

use crate::support::overlay::Overlay;
use crate::support::pods::{is_ready, pods};
use crate::support::{PATIENCE, control_plane};

/// A filter that has failed for long asks again every 30 s; the rest is for the polls of a busy machine.
const SOON: Duration = Duration::from_secs(45);

/// The time without istiod, 10 s so that the test is short. `HFI_CHURN_SECONDS=120` is longer than each limit of
/// hfi: a filter's longest pause between polls (30 s), and the grace of a silent proxy (60 s).
fn absence() -> Result<Duration> {
    let seconds = std::env::var("HFI_CHURN_SECONDS").map_or(Ok(10), |text| text.parse())?;
    Ok(Duration::from_secs(seconds))
}

/// The Pods that start at once.
const CROWD: usize = 10;

/// So often the configuration of the plugins changes, and with it all VMs.
const RELOADS: u64 = 6;

/// The growth that an Envoy may show over all reloads but the first two, in MiB.
const GROWTH: u64 = 8;

#[tokio::test]
async fn and_every_filter_comes_back() -> Result<()> {
    let mut fleet = Fleet::start().await?;
    fleet.are_rates_right().await?;
    istiod_goes_away(&mut fleet).await?;
    the_service_is_made_anew(&mut fleet).await?;
    processes_die(&mut fleet).await?;
    many_pods_start_at_once(&mut fleet).await?;
    memory_stays(&mut fleet).await?;
    fleet.are_rates_right().await?;
    fleet.end().await
}

/// Policies go on to change without istiod. hfi moves meanwhile: the proxies cannot know where to.
async fn istiod_goes_away(fleet: &mut Fleet) -> Result<()> {
    let gone = Instant::now();
    fleet.world.stop_istiod().await?;
    fleet.mend().await?;
    fleet.harm().await?;
    println!("without istiod: a policy is removed and pushed again within {:?}", gone.elapsed());
    let rest = absence()?.saturating_sub(gone.elapsed());
    tokio::time::sleep(rest).await;
    let moved = Instant::now();
    fleet.world.kubectl(&["delete", "pods", "--namespace=boifi", "--all", "--wait=false"]).await?;
    fleet
        .world
        .wait_for("hfi at other addresses", PATIENCE, async |world| {
            let replicas = pods(world, "boifi", None).await?;
            ensure!(replicas.len() == 2 && replicas.iter().all(is_ready), "the replicas are not ready");
            Ok(())
        })
        .await?;
    println!("without istiod: hfi's replicas are at other addresses after {:?}", moved.elapsed());
    let proxies = fleet.proxies.len();
    fleet.world.start_istiod(proxies).await?;
    println!("istiod was away for {:?}", gone.elapsed());
    fleet.all_poll("istiod's return, and hfi's move meanwhile", SOON).await?;
    fleet.was_as_policies_say(gone)
}

async fn the_service_is_made_anew(fleet: &mut Fleet) -> Result<()> {
    let began = Instant::now();
    fleet.world.kubectl(&["delete", "service", "--namespace=boifi", "hfi-control-plane"]).await?;
    fleet
        .world
        .wait_for("the proxies to lose hfi", PATIENCE, async |world| fleet::nobody_polls(world).await)
        .await?;
    control_plane("default")?.apply(&fleet.world, None).await?;
    fleet.all_poll("a new Service", SOON).await?;
    fleet.was_as_policies_say(began)
}

/// Requests to these two fail meanwhile, and to no other.
async fn processes_die(fleet: &mut Fleet) -> Result<()> {
    let began = Instant::now();
    fleet.kill_envoy("two").await?;
    fleet.kill_agent("four").await?;
    fleet.all_poll("the death of an Envoy and of an agent", SOON).await?;
    fleet.was_as_policies_say_but_at(&["two", "four"], began)?;
    fleet.are_rates_right().await
}

async fn many_pods_start_at_once(fleet: &mut Fleet) -> Result<()> {
    let began = Instant::now();
    let crowd = fleet.scale("crowd", CROWD).await?;
    fleet.all_poll_with(crowd, "their start", PATIENCE).await?;
    println!("{CROWD} Pods were ready and polled after {:?}", began.elapsed());
    fleet.scale("crowd", 0).await?;
    fleet.all_poll("their end", SOON).await?;
    fleet.was_as_policies_say(began)
}

/// Each change of the plugins' configuration makes new VMs in every worker, and ends the old ones.
async fn memory_stays(fleet: &mut Fleet) -> Result<()> {
    let began = Instant::now();
    for round in 0..2 {
        reload(fleet, 20 + round).await?;
    }
    let before = fleet.costs().await?;
    for round in 2..RELOADS {
        reload(fleet, 20 + round).await?;
    }
    let after = fleet.costs().await?;
    println!("before and after {} reloads: {before:?} {after:?}", RELOADS - 2);
    for (before, after) in before.iter().zip(&after) {
        ensure!(before.vms == after.vms, "VMs of old plugins are left: {before:?} {after:?}");
        ensure!(after.memory.saturating_sub(before.memory) <= GROWTH, "an Envoy grew: {before:?} {after:?}");
    }
    fleet.was_as_policies_say(began)
}

async fn reload(fleet: &mut Fleet, wait: u64) -> Result<()> {
    let patch = serde_json::json!([{
        "op": "add",
        "path": "/spec/pluginConfig/poll_wait_seconds",
        "value": wait,
    }]);
    let target = serde_json::json!({"kind": "WasmPlugin"});
    let patches = serde_json::json!([{"target": target, "patch": patch.to_string()}]);
    let overlay = Overlay::of("reload", "k8s/plugin/sidecar")?.with("patches", patches);
    overlay.apply(&fleet.world, Some(NAMESPACE)).await?;
    fleet.all_poll("new plugins", SOON).await
}
