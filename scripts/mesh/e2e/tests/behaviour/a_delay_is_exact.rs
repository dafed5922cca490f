use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use harness::{Answer, Envoy, Mesh, Request, everywhere};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::access_log::AccessLog;

const POLICY: &str = r#"
metadata: {name: slow}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {prefix: /fixed}}, fault: {percentage: 100, delay: {fixed_delay_ms: 100}}}
    - {match: {path: {prefix: /range}}, fault: {percentage: 100, delay: {min_ms: 40, max_ms: 120}}}
"#;

/// The time that a request may be held beyond its delay.
const EXCESS: Duration = Duration::from_millis(10);

/// The number of attempts: a delay is late as well when the machine is busy with something else.
const ATTEMPTS: usize = 10;

#[tokio::test]
async fn also_with_five_hundred_at_once() -> Result<()> {
    let delay = Duration::from_millis(100);
    TestBed::start().await?.holds("/fixed", 500, delay..=delay).await?;
    Ok(())
}

#[tokio::test]
async fn and_one_of_a_range_is_any_time_in_it() -> Result<()> {
    let (least, most) = (Duration::from_millis(40), Duration::from_millis(120));
    let held = TestBed::start().await?.holds("/range", 100, least..=most).await?;
    // Of a hundred draws the middle third holds more than ten and fewer than sixty.
    let third = (most - least) / 3;
    let middle = held.iter().filter(|held| (least + third..most - third).contains(held)).count();
    assert!((10..60).contains(&middle), "{held:?}");
    Ok(())
}

struct TestBed {
    envoy: Envoy,
    log: AccessLog,
    _mesh: Mesh,
}

impl TestBed {
    async fn start() -> Result<Self> {
        let (mesh, log) = (Mesh::start(&[]).await?, AccessLog::new()?);
        // Without a workload, which would take its share of the machine just when the delays end.
        let sidecar = mesh.sidecar("frontend").answering_itself().access_log(&log.file());
        let envoy = Envoy::start(sidecar, &mesh.client).await?;
        mesh.publish("slow.yaml", POLICY).await?;
        everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;
        Ok(Self { envoy, log, _mesh: mesh })
    }

    /// Sends so many requests at once, until Envoy says of all of a round that it held them no longer
    /// than it was to; how long it held those. None of any round may be let go early.
    async fn holds(
        &self,
        path: &str,
        count: usize,
        delay: RangeInclusive<Duration>,
    ) -> Result<Vec<Duration>> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(TcpStream::connect(self.envoy.address()).await?);
        }
        for attempt in 1..=ATTEMPTS {
            let path = format!("{path}/{attempt}");
            ask(&mut connections, &path).await?;
            let entries = self.log.entries(&path, count).await?;
            let mut held: Vec<Duration> = entries.iter().filter_map(|entry| entry.held).collect();
            held.sort_unstable();
            let [first, .., last] = held[..] else { bail!("{entries:?}") };
            ensure!(held.len() == count, "only {} of {count} say how long they took", held.len());
            ensure!(first >= *delay.start(), "one was let go after {first:?}");
            let rank = |percent| held.get(count * percent / 100).copied().unwrap_or_default();
            println!("{path}: {first:?} to {last:?}, p50 {:?}, p99 {:?}", rank(50), rank(99));
            if last <= *delay.end() + EXCESS {
                return Ok(held);
            }
        }
        bail!("none of {ATTEMPTS} attempts was in time")
    }
}

/// Asks on all connections, within less than a delay lasts, and waits until each has its answer.
/// Plainer than the client of other tests, which would take more of the machine than the proxy.
async fn ask(connections: &mut [TcpStream], path: &str) -> Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: frontend\r\n\r\n");
    let mut pace = tokio::time::interval(Duration::from_millis(3));
    for some in connections.chunks_mut(25) {
        pace.tick().await;
        for connection in some {
            connection.write_all(request.as_bytes()).await?;
        }
    }
    for connection in connections {
        let mut head = [0; 4096];
        let length = connection.read(&mut head).await?;
        let head = head.get(..length).unwrap_or_default();
        ensure!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(head));
    }
    Ok(())
}
