use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{
    Answer, Behaviour, Client, ControlPlane, Deadline, Envoy, Load, Poll, Reconciler, Request, Sidecar,
    Snapshot, Source, Upstream, everywhere, first, loopback, paths,
};
use policies::wire::{Count, FaultReport};
use serde_json::Value;

use crate::fragile::trap;
use crate::policies::policy;

/// `/settled` is always faulted: it tells when the policies are in force.
const POLICIES: &str = r#"
metadata: {name: share}
spec:
  selector: {service: frontend, namespace: demo}
  rules: [{match: {path: {exact: /share}}, fault: {percentage: 30, abort: {httpStatus: 503}}}]
---
metadata: {name: held}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /delay}}, fault: {percentage: 100, delay_ms: 20}}
    - {match: {path: {exact: /both}}, fault: {percentage: 100, delay_ms: 20, abort: {httpStatus: 503}}}
---
metadata: {name: dry-run}
spec:
  selector: {service: frontend, namespace: demo}
  mode: shadow
  rules: [{match: {path: {exact: /shadow}}, fault: {percentage: 50, abort: {httpStatus: 503}}}]
---
metadata: {name: settled}
spec:
  selector: {service: frontend, namespace: demo}
  rules: [{match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
"#;

/// Matched, chosen, aborts, delays, shadow, overflow, by policy.
type Totals = BTreeMap<String, [u64; 6]>;

/// A proxy of two workers, and the control plane that hears its reports.
struct Heard {
    control_plane: ControlPlane,
    envoy: Envoy,
    sidecar: Sidecar,
    _upstream: Upstream,
}

impl Heard {
    async fn start(change: impl FnOnce(Sidecar) -> Result<Sidecar>) -> Result<Self> {
        let (client, upstream) = (Client::new()?, Upstream::start().await?);
        let control_plane = ControlPlane::start(Behaviour::Serve(Snapshot::of(POLICIES)?)).await?;
        let sidecar = Sidecar::of("frontend", upstream.address()).following(control_plane.address());
        let sidecar = change(sidecar.concurrency(2).plugin("report_interval_seconds", 1.into()))?;
        let envoy = Envoy::start(sidecar.clone(), &client).await?;
        let heard = Self { control_plane, envoy, sidecar, _upstream: upstream };
        heard.settle().await?;
        Ok(heard)
    }

    /// Waits until every worker has the policies.
    async fn settle(&self) -> Result<()> {
        everywhere(self.envoy.address(), &Request::get("/settled"), Answer::aborted).await
    }

    /// Sends so many requests for each path, over connections of its own.
    async fn load(&self, requests: usize) -> Result<()> {
        for path in ["/share", "/delay", "/both", "/shadow"] {
            let load = Load::of(Request::get(path), requests);
            let results = load.run(&Client::new()?, &[self.envoy.address()]).await?;
            ensure!(results.failed() == 0, "{path}: {results:?}");
        }
        Ok(())
    }

    /// The totals of the last epoch, once they are those that Envoy counts, with so many requests for each path.
    async fn agree(&self, requests: u64) -> Result<Totals> {
        let deadline = Deadline::of("the reports to say what Envoy counts", Duration::from_secs(30));
        loop {
            let (told, counted) = (last(&reports(&self.control_plane)?), counted(&self.envoy).await?);
            let row = |policy: &str| told.get(policy).copied().unwrap_or_default();
            let [share, held, shadow] = ["share", "held", "dry-run"].map(row);
            let matched = [share, held, shadow].map(|row| row[0]) == [requests, 2 * requests, requests];
            // Of each policy all that were chosen came to something.
            let chosen = [share, held, shadow].map(|row| row[1]) == [share[2], 2 * requests, shadow[4]];
            if matched
                && chosen
                && counted == told.iter().map(|(name, row)| (name.clone(), injected(row))).collect()
            {
                return Ok(told);
            }
            deadline.pause().await.with_context(|| format!("told {told:?}, counted {counted:?}"))?;
        }
    }
}

/// What Envoy counts too: aborts, delays, shadow.
fn injected([_, _, aborts, delays, shadow, _]: &[u64; 6]) -> [u64; 3] {
    [*aborts, *delays, *shadow]
}

/// Aborts, delays and shadow by policy, in Envoy's `/stats`.
async fn counted(envoy: &Envoy) -> Result<BTreeMap<String, [u64; 3]>> {
    let mut counted = BTreeMap::new();
    for policy in ["share", "held", "dry-run", "settled"] {
        let mut counts = [0; 3];
        for (count, kind) in counts.iter_mut().zip(["aborts", "delays", "shadow"]) {
            *count = envoy.stat(&format!("hfi.policy.tag.{policy};.{kind}_total")).await.unwrap_or_default();
        }
        counted.insert(policy.to_owned(), counts);
    }
    Ok(counted)
}

/// The reports so far, in the order in which they came. No total has fallen within an epoch.
fn reports(control_plane: &ControlPlane) -> Result<Vec<FaultReport>> {
    let polls = control_plane.polls();
    let headers = polls.iter().filter_map(|poll: &Poll| poll.header("x-hfi-faults"));
    let parsed = headers.map(|header| FaultReport::parse(header).with_context(|| header.to_owned()));
    let reports: Vec<FaultReport> = parsed.collect::<Result<_>>()?;
    let mut known = BTreeMap::new();
    for report in &reports {
        for row in report.rows() {
            let counts = row.counts.into_array().map(Count::get);
            let before = known.insert((report.epoch().clone(), row.name.clone()), counts).unwrap_or_default();
            ensure!(
                before.iter().zip(counts).all(|(before, now)| *before <= now),
                "{report} after {before:?}"
            );
        }
    }
    Ok(reports)
}

/// The greatest totals of the last epoch.
fn last(reports: &[FaultReport]) -> Totals {
    let mut totals = Totals::new();
    let epoch = reports.last().map(FaultReport::epoch);
    for row in reports.iter().filter(|report| Some(report.epoch()) == epoch).flat_map(FaultReport::rows) {
        totals.insert(row.name.as_str().to_owned(), row.counts.into_array().map(Count::get));
    }
    totals
}

fn epochs(reports: &[FaultReport]) -> Vec<String> {
    let mut epochs: Vec<_> = reports.iter().map(|report| report.epoch().as_str().to_owned()).collect();
    epochs.dedup();
    epochs
}

/// As Istio changes a plugin: another listener takes over, and the old one is drained.
#[tokio::test]
async fn also_after_its_configuration_has_changed() -> Result<()> {
    let mut heard = Heard::start(|sidecar| Ok(sidecar.reconfigurable())).await?;
    heard.load(300).await?;
    heard.agree(300).await?;

    heard.envoy.reconfigure(heard.sidecar.clone().plugin("report_interval_seconds", 2.into()))?;
    heard.load(200).await?;
    let both = |polls: &[Poll]| polls.last().and_then(|poll| poll.header("prefer")) == Some("wait=2");
    heard.control_plane.polled("a poll of the new configuration", both).await?;
    heard.load(100).await?;
    heard.agree(600).await?;
    assert_eq!(epochs(&reports(&heard.control_plane)?).len(), 1);
    Ok(())
}

#[tokio::test]
async fn also_after_a_vm_has_trapped_and_was_reloaded() -> Result<()> {
    let module = paths::filter_that_traps()?;
    let heard = Heard::start(|sidecar| Ok(sidecar.module(&module).failing("FAIL_RELOAD"))).await?;
    heard.load(300).await?;
    heard.agree(300).await?;

    trap(&Client::new()?, &heard.envoy).await?;
    let deadline = Deadline::of("the filter to be reloaded", Duration::from_secs(15));
    while heard.envoy.stat("boifi.hfi.vm_reload_success").await? == 0 {
        let request = Request::get("/settled");
        Client::new()?.send(heard.envoy.address(), &request).await?;
        deadline.pause().await?;
    }
    heard.settle().await?;
    heard.load(200).await?;
    heard.agree(500).await?;
    assert_eq!(epochs(&reports(&heard.control_plane)?).len(), 1);
    Ok(())
}

#[tokio::test]
async fn and_another_life_of_envoy_is_another_epoch() -> Result<()> {
    let mut heard = Heard::start(Ok).await?;
    heard.load(100).await?;
    heard.agree(100).await?;
    heard.envoy.restart().await?;
    heard.settle().await?;
    heard.load(50).await?;
    // From here on these reports are the last.
    heard
        .control_plane
        .polled("a second epoch", |_| {
            reports(&heard.control_plane).is_ok_and(|reports| epochs(&reports).len() == 2)
        })
        .await?;
    heard.agree(50).await?;
    Ok(())
}

/// A poll reaches any replica, and each of them knows all in the end.
#[tokio::test]
async fn and_each_replica_of_the_reconciler_shows_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(
        folder.path().join("share.yaml"),
        policy("share", "frontend", "percentage: 30, abort: {httpStatus: 503}"),
    )?;
    let (client, upstream) = (Client::new()?, Upstream::start().await?);
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let mut replica = Reconciler::start(Source::Folder(folder.path().to_owned()), loopback()).await?;
        replica.ready(&client).await?;
        replicas.push(replica);
    }
    let addresses = replicas.iter().map(Reconciler::address).collect::<Vec<_>>();
    let mut envoys = Vec::new();
    for replica in [1, 2] {
        let sidecar = Sidecar::of("frontend", upstream.address()).following_any(addresses.clone());
        let sidecar = sidecar.plugin("report_interval_seconds", 1.into()).replica(replica).concurrency(2);
        envoys.push(Envoy::start(sidecar, &client).await?);
    }
    for envoy in &envoys {
        first(&client, envoy.address(), &Request::get("/"), Answer::aborted).await?;
    }
    let proxies: Vec<_> = envoys.iter().map(Envoy::address).collect();
    Load::of(Request::get("/"), 2_000).run(&client, &proxies).await?;

    let deadline = Deadline::of("each replica to show what Envoy counts", Duration::from_secs(60));
    loop {
        let mut aborts = 0;
        for envoy in &envoys {
            aborts += envoy.stat("hfi.policy.tag.share;.aborts_total").await?;
        }
        let mut shown = Vec::new();
        for address in &addresses {
            shown.push(measured(&client, *address).await?);
        }
        if shown.iter().all(|shown| shown["aborts"] == aborts && shown["chosen"] == aborts) {
            assert!(shown.iter().all(|shown| shown["matched"].as_u64() >= Some(2_000)), "{shown:?}");
            return Ok(());
        }
        deadline.pause().await.with_context(|| format!("{aborts} aborts, shown {shown:?}"))?;
    }
}

/// What a replica shows of the policy `share`.
async fn measured(client: &Client, replica: std::net::SocketAddr) -> Result<Value> {
    let answer = client.send(replica, &Request::get("/v1/policies/status")).await?;
    let status: Value = serde_json::from_str(&answer.body)?;
    status.pointer("/policies/0/measured").cloned().context("no policy")
}
