//! A proxy, as it describes itself.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use world::World;

use super::pods::name;

const CONTAINER: &str = "istio-proxy";

/// The cluster that filters poll.
const HFI: &str = "outbound|8080||hfi-control-plane.boifi.svc.cluster.local::";

/// Runs a command beside the proxy of a Pod.
pub(crate) async fn exec(world: &World, pod: &Pod, command: &[&str]) -> Result<String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let output = world.kubelet().exec(namespace, name(pod), CONTAINER, command).await?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} in {}: {complaint}", name(pod));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What Envoy's administration answers.
pub(crate) async fn ask(world: &World, pod: &Pod, path: &str) -> Result<String> {
    exec(world, pod, &["pilot-agent", "request", "GET", path]).await
}

/// The polls that it has under way: one, unless it has just been answered.
pub(crate) async fn polls(world: &World, pod: &Pod) -> Result<u32> {
    let clusters = ask(world, pod, "clusters").await?;
    let of_hfi = clusters.lines().filter_map(|line| line.strip_prefix(HFI)?.split_once("::rq_active::"));
    of_hfi.map(|(_, count)| Ok(count.trim().parse::<u32>()?)).sum()
}

/// The worker threads that it has.
pub(crate) async fn concurrency(world: &World, pod: &Pod) -> Result<u32> {
    let stats = ask(world, pod, "stats?filter=^server.concurrency$").await?;
    let (_, count) = stats.trim().split_once(": ").context("Envoy does not count its workers")?;
    Ok(count.parse()?)
}

/// The memory of the Envoy process that is in use, in MiB.
pub(crate) async fn memory(world: &World, pod: &Pod) -> Result<u64> {
    let script = "grep VmRSS /proc/$(pgrep -x envoy)/status";
    let line = exec(world, pod, &["sh", "-c", script]).await?;
    let kibibytes = line.split_whitespace().nth(1).context("Linux knows no memory of Envoy")?;
    Ok(kibibytes.parse::<u64>()? / 1024)
}

/// The VMs of WebAssembly that it has.
pub(crate) async fn vms(world: &World, pod: &Pod) -> Result<u32> {
    let stats = ask(world, pod, "stats?filter=^wasm.envoy.wasm.runtime.v8.active$").await?;
    let (_, count) =
        stats.trim().split_once(": ").with_context(|| format!("Envoy does not count its VMs: {stats}"))?;
    Ok(count.parse()?)
}

/// The configuration of its filters that come as plugins.
pub(crate) async fn filters(world: &World, pod: &Pod) -> Result<String> {
    ask(world, pod, "config_dump?resource=ecds_filters").await
}

/// True if all its filters of hfi are of the module with this digest.
pub(crate) async fn runs_module(world: &World, pod: &Pod, digest: &str) -> Result<bool> {
    let dump = filters(world, pod).await?;
    let dump: Value = serde_json::from_str(&dump)?;
    let filters = dump.get("configs").and_then(Value::as_array).context("no filters in the configuration")?;
    let of_hfi: Vec<_> = filters.iter().map(Value::to_string).filter(|text| text.contains("hfi-")).collect();
    Ok(!of_hfi.is_empty() && of_hfi.iter().all(|text| text.contains(&format!("{digest}.wasm"))))
}
