//! As soon as what holds them is no longer in force, and without the abort that was to come.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use harness::{
    Answer, Behaviour, Client, Deadline, Envoy, Mesh, Reconciler, Reply, Request, Sidecar, Snapshot,
};
use harness::{Source, Upstream, everywhere, loopback};
use policies::Timestamp;
use tokio::task::JoinSet;

use crate::access_log::AccessLog;
use crate::burst::Burst;
use crate::scripted::Scripted;

/// Longer than any of these tests waits.
const POLICY: &str = r#"
metadata: {name: slow}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /here}}, fault: {percentage: 100, abort: {httpStatus: 418}}}
    - match: {path: {exact: /abort}}
      fault: {percentage: 100, delay: {fixed_delay_ms: 25000}, abort: {httpStatus: 503}}
    - match: {path: {exact: /late}}
      fault: {percentage: 100, start_delay_ms: 25000, abort: {httpStatus: 503}}
    - {match: {path: {exact: /delay}}, fault: {percentage: 100, delay: {fixed_delay_ms: 25000}}}
"#;

const OTHER: &str = r#"
metadata: {name: other}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 418}}}
    - {match: {path: {exact: /other}}, fault: {percentage: 100, delay: {fixed_delay_ms: 6000}}}
"#;

/// From the new snapshot in the filter to the last request.
const LIMIT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn when_their_policy_is_deleted() -> Result<()> {
    let (mesh, log) = (Mesh::start(&[]).await?, AccessLog::new()?);
    let envoy = Envoy::start(mesh.sidecar("frontend").access_log(&log.file()), &mesh.client).await?;
    mesh.repository.write("slow.yaml", POLICY)?;
    mesh.publish("other.yaml", OTHER).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    let mut unchanged = hold(&envoy, &["/other"; 8])?;
    let mut held = hold(&envoy, &["/abort", "/late", "/delay"].repeat(8))?;
    active_is(&envoy, 32).await?;
    let began = Instant::now();
    mesh.retract("slow.yaml").await?;
    while let Some(ended) = held.join_next().await {
        let (path, answer) = ended??;
        assert!(answer.status == 200 && !answer.aborted() && answer.delayed(), "{path}: {answer:?}");
        assert_eq!(answer.seen_by_workload("x-hfi-policy").as_deref(), Some("slow"), "{path}");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(envoy.stat("hfi.faults.active").await?, 8, "the other policy has not changed");
    for path in ["/abort", "/late", "/delay"] {
        let entries = log.entries(path, 8).await?;
        assert!(entries.iter().all(|entry| entry.fault == "cancel slow"), "{entries:?}");
    }
    assert_eq!(envoy.stat("hfi.faults.cancelled_total").await?, 24);
    assert_eq!(envoy.stat("hfi.policy.tag.slow;.cancelled_total").await?, 24);
    assert_eq!(envoy.stat("hfi.faults.delays_total").await?, 24, "16 of these, and 8 of the other policy");

    while let Some(ended) = unchanged.join_next().await {
        let (path, answer) = ended??;
        assert!(answer.delayed() && answer.took >= Duration::from_secs(6), "{path}: {answer:?}");
    }
    active_is(&envoy, 0).await
}

#[tokio::test]
async fn when_all_is_halted() -> Result<()> {
    let (client, upstream, folder) = (Client::new()?, Upstream::start().await?, tempfile::tempdir()?);
    let (policies, halt) = (folder.path().join("policies"), folder.path().join("halt"));
    std::fs::create_dir(&policies)?;
    std::fs::write(policies.join("slow.yaml"), POLICY)?;
    std::fs::write(policies.join("other.yaml"), OTHER)?;
    let options = vec!["--halt-file".into(), halt.clone().into()];
    let mut reconciler = Reconciler::start_with(Source::Folder(policies), loopback(), options).await?;
    reconciler.ready(&client).await?;
    let sidecar = Sidecar::of("frontend", upstream.address()).following(reconciler.address());
    let envoy = Envoy::start(sidecar, &client).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;
    let held = hold(&envoy, &["/abort", "/late", "/delay", "/other"].repeat(8))?;
    active_is(&envoy, 32).await?;

    std::fs::write(&halt, "")?;
    all_go_on(held, Duration::from_secs(4)).await?;
    active_is(&envoy, 0).await
}

/// Nobody says so: the filter knows the time.
#[tokio::test]
async fn when_their_policy_ends() -> Result<()> {
    let scripted = Scripted::start(Behaviour::Serve(Snapshot::of(OTHER)?)).await?;
    everywhere(scripted.envoy.address(), &Request::get("/settled"), Answer::aborted).await?;
    let ends = SystemTime::now() + Duration::from_secs(8);
    let millis = ends.duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
    let ends_at = Timestamp::from_millis(u64::try_from(millis)?).to_rfc3339();
    let policy = POLICY.replace("spec:", &format!("spec:\n  expiresAt: {ends_at}"));
    scripted.control_plane.becomes(Behaviour::Serve(Snapshot::of(&policy)?));
    everywhere(scripted.envoy.address(), &Request::get("/here"), Answer::aborted).await?;
    let mut held = hold(&scripted.envoy, &["/abort", "/late", "/delay"].repeat(8))?;
    active_is(&scripted.envoy, 24).await?;
    let first = held.join_next().await.context("there are some")??;
    let over = SystemTime::now().duration_since(ends).context("it went on too early")?;
    assert!(over < Duration::from_secs(1), "{over:?}: {first:?}");
    all_go_on(held, Duration::from_secs(1)).await?;
    active_is(&scripted.envoy, 0).await
}

#[tokio::test]
async fn when_nobody_is_heard_of_for_too_long() -> Result<()> {
    let serve = Behaviour::Serve(Snapshot::of(POLICY)?);
    let stale = |sidecar: Sidecar| sidecar.plugin("max_staleness_seconds", 3.into());
    let scripted = Scripted::with(serve, stale).await?;
    everywhere(scripted.envoy.address(), &Request::get("/here"), Answer::aborted).await?;
    let held = hold(&scripted.envoy, &["/abort", "/late", "/delay"].repeat(8))?;
    active_is(&scripted.envoy, 24).await?;
    scripted.control_plane.becomes(Behaviour::Say(Reply::error(500)));
    all_go_on(held, Duration::from_secs(6)).await?;
    active_is(&scripted.envoy, 0).await
}

/// The filter of a listener that drains follows the policies as ever.
#[tokio::test]
async fn when_their_listener_was_replaced_before() -> Result<()> {
    let serve = Behaviour::Serve(Snapshot::of(POLICY)?);
    let mut scripted = Scripted::with(serve, |sidecar| sidecar.reconfigurable().draining(20)).await?;
    everywhere(scripted.envoy.address(), &Request::get("/here"), Answer::aborted).await?;
    let held = hold(&scripted.envoy, &["/abort", "/late", "/delay"].repeat(8))?;
    active_is(&scripted.envoy, 24).await?;
    scripted.envoy.reconfigure(scripted.sidecar.clone().plugin("poll_wait_seconds", 2.into()))?;
    let changed = |polls: &[harness::Poll]| polls.iter().any(|poll| poll.header("prefer") == Some("wait=2"));
    scripted.control_plane.polled("a poll of the new configuration", changed).await?;
    assert_eq!(scripted.envoy.stat("hfi.faults.active").await?, 24);

    scripted.control_plane.becomes(Behaviour::Serve(Snapshot::of(OTHER)?));
    all_go_on(held, Duration::from_secs(3)).await?;
    active_is(&scripted.envoy, 0).await
}

/// By the clock of the proxy, without the time that its threads waited for a processor, and in the best of some
/// attempts: what else this machine does counts as well.
#[tokio::test]
async fn five_thousand_within_200_ms_on_every_worker() -> Result<()> {
    const WORKERS: u32 = 2;
    const CONNECTIONS: u32 = 50;
    const STREAMS: u32 = 100;
    const REQUESTS: usize = (CONNECTIONS * STREAMS) as usize;
    let (policy, log) = (Snapshot::of(POLICY)?, AccessLog::new()?);
    let scripted = Scripted::with(Behaviour::Serve(policy.clone()), |sidecar| {
        let sidecar = sidecar.concurrency(WORKERS as usize).answering_itself().access_log(&log.file());
        sidecar.plugin("max_active_faults", REQUESTS.into()).plugin("poll_wait_seconds", 30.into())
    })
    .await?;
    let mut times = Vec::new();
    for attempt in 1..=5 {
        everywhere(scripted.envoy.address(), &Request::get("/here"), Answer::aborted).await?;
        let is_held = |polls: &[harness::Poll]| polls.last().is_some_and(|poll| poll.ended.is_none());
        let number = scripted.control_plane.polled("a poll that is held", is_held).await?.len() - 1;
        let mut bursts = Vec::new();
        for connection in 0..CONNECTIONS {
            // A connection stays with one worker.
            let path = if connection % 2 == 0 { "/abort" } else { "/delay" };
            bursts.push(Burst::send(scripted.envoy.address(), path, STREAMS).await?);
        }
        active_is(&scripted.envoy, REQUESTS as u64).await?;
        let before = (scripted.envoy.processor_time()?, scripted.envoy.time_in_queues()?);
        // The next snapshot holds nothing; each time another one.
        let other = OTHER.replace("418", &(500 + attempt).to_string());
        scripted.control_plane.becomes(Behaviour::Serve(Snapshot::of(&other)?));
        for burst in bursts {
            burst.answered().await?;
        }
        let used = scripted.envoy.processor_time()? - before.0;
        let queued = scripted.envoy.time_in_queues()? - before.1;
        let ended = scripted.control_plane.polls().swap_remove(number).ended.context("it was answered")?;
        let known = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? - ended.elapsed();
        active_is(&scripted.envoy, 0).await?;
        let mut last = Duration::ZERO;
        for path in ["/abort", "/delay"] {
            let entries = log.entries(path, attempt * REQUESTS / 2).await?;
            assert_eq!(entries.len(), attempt * REQUESTS / 2, "each is answered once");
            for entry in &entries[(attempt - 1) * REQUESTS / 2..] {
                ensure!(entry.status == "200" && entry.fault == "cancel slow", "{entry:?}");
                last = last.max(entry.began + entry.held.context("it was answered")?);
            }
        }
        let took = last.saturating_sub(known);
        println!("{took:?}, of which {queued:?} in queues for a processor; {used:?} of processor time");
        times.push((took.saturating_sub(queued), used));
        let cancelled = scripted.envoy.stat("hfi.faults.cancelled_total").await?;
        assert_eq!(cancelled, (attempt * REQUESTS) as u64);
        scripted.control_plane.becomes(Behaviour::Serve(policy.clone()));
    }
    times.sort_unstable();
    let (took, used) = times[0];
    assert!(took < LIMIT && used < LIMIT * WORKERS, "{times:?}");
    Ok(())
}

fn hold(envoy: &Envoy, paths: &[&'static str]) -> Result<JoinSet<Result<(&'static str, Answer)>>> {
    let mut held = JoinSet::new();
    for (number, path) in paths.iter().enumerate() {
        let client = if number % 2 == 0 { Client::new()? } else { Client::http2()? };
        let (address, path) = (envoy.address(), *path);
        held.spawn(async move { Ok((path, client.send(address, &Request::get(path)).await?)) });
    }
    Ok(held)
}

async fn all_go_on(mut held: JoinSet<Result<(&'static str, Answer)>>, within: Duration) -> Result<()> {
    let began = Instant::now();
    while let Some(ended) = held.join_next().await {
        let (path, answer) = ended??;
        assert!(answer.status == 200 && !answer.aborted(), "{path}: {answer:?}");
    }
    assert!(began.elapsed() < within, "{:?}", began.elapsed());
    Ok(())
}

async fn active_is(envoy: &Envoy, requests: u64) -> Result<()> {
    let deadline = Deadline::of("the proxy to hold so many requests", Duration::from_secs(10));
    loop {
        let active = envoy.stat("hfi.faults.active").await?;
        if active == requests {
            return Ok(());
        }
        deadline.pause().await.with_context(|| format!("it holds {active}, not {requests}"))?;
    }
}
