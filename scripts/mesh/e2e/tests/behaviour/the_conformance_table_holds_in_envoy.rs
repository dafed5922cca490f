mod got;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Error, Result, ensure};
use harness::{Client, Deadline, Envoy, Reconciler, Request, Sidecar, Source, Upstream, first, loopback};
use policies::testing::{
    cases::{self, Direction, Expectation},
    directory::{self, CASES, Case},
};
use tempfile::TempDir;

use self::got::Got;

const DIRECTIONS: [Direction; 3] = [Direction::Inbound, Direction::Outbound, Direction::Both];

/// The same cases run natively in `policies/tests/conformance.rs`.
#[tokio::test]
async fn case_by_case() -> Result<()> {
    let cases = directory::all(Path::new(CASES)).map_err(Error::msg)?;
    let bed = TestBed::start(&cases).await?;
    let (mut ran, mut requests, mut skipped, mut differences) = (0, 0, Vec::new(), Vec::new());
    for case in &cases {
        if let Some(reason) = &case.table.native_only {
            skipped.push(format!("{} ({reason})", case.name));
            continue;
        }
        bed.serve(case).await?;
        for request in &case.table.requests {
            let found = bed.differences(request).await?;
            differences.extend(found.map(|found| format!("{}: {request:?}\n    {found}", case.name)));
        }
        ran += 1;
        requests += case.table.requests.len();
    }
    println!("{ran} cases with {requests} requests ran in Envoy, {} were skipped:", skipped.len());
    skipped.iter().for_each(|case| println!("  {case}"));
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    assert!(3 * skipped.len() <= cases.len(), "more than a third of the cases were skipped");

    let shadows = |direction| {
        let run = cases.iter().filter(|case| case.table.native_only.is_none());
        let of_direction =
            run.flat_map(|case| &case.table.requests).filter(move |r| r.direction == direction);
        of_direction.filter(|request| matches!(request.expect, Expectation::Shadow(_))).count()
    };
    for direction in DIRECTIONS {
        bed.has_counted(direction, shadows(direction)).await?;
    }
    Ok(())
}

/// A reconciler of a directory, and `checkout` with a proxy for either direction, and as a gateway.
struct TestBed {
    client: Client,
    upstream: Upstream,
    inbound: Envoy,
    outbound: Envoy,
    gateway: Envoy,
    folder: TempDir,
    _reconciler: Reconciler,
}

impl TestBed {
    async fn start(cases: &[Case]) -> Result<Self> {
        let (client, upstream, folder) = (Client::new()?, Upstream::start().await?, tempfile::tempdir()?);
        let mut reconciler = Reconciler::start(Source::Folder(folder.path().to_owned()), loopback()).await?;
        reconciler.ready(&client).await?;
        // With one worker each, one answer tells what the next one will be.
        let sidecar = Sidecar::of("checkout", upstream.address()).following(reconciler.address());
        let sidecar = sidecar.concurrency(1);
        let routed = routed(sidecar.clone(), cases)?;
        let outbound = Envoy::start(routed.clone().replica(2).outbound(), &client).await?;
        let gateway = Envoy::start(routed.replica(3).gateway(), &client).await?;
        let inbound = Envoy::start(sidecar, &client).await?;
        Ok(Self { client, upstream, inbound, outbound, gateway, folder, _reconciler: reconciler })
    }

    fn proxy(&self, direction: Direction) -> &Envoy {
        match direction {
            Direction::Inbound => &self.inbound,
            Direction::Outbound => &self.outbound,
            Direction::Both => &self.gateway,
        }
    }

    /// Puts the policies of a case in force, and no others.
    async fn serve(&self, Case { name, policy, .. }: &Case) -> Result<()> {
        // In the same file, so that a filter that knows one knows the other; and within the guardrail of
        // the case that has one.
        let marker = |direction| {
            format!(
                "---
metadata: {{name: marks-{direction}}}
spec:
  selector: {{service: checkout, namespace: demo}}
  direction: {direction}
  priority: 2147483647
  rules:
    - match: {{headers: [{{name: x-case, exact: {name}}}]}}
      fault: {{percentage: 100, abort: {{httpStatus: 501}}}}
"
            )
        };
        let text = [policy.as_str(), &marker("inbound"), &marker("outbound")].concat();
        let (new, file) = (self.folder.path().join(".new"), self.folder.path().join("case.yaml"));
        std::fs::write(&new, text)?;
        std::fs::rename(new, file)?;
        for direction in DIRECTIONS {
            let marked = Request::get("/").header("x-case", name);
            let address = self.proxy(direction).address();
            first(&self.client, address, &marked, |answer| {
                answer.header("x-hfi-policy").is_some_and(|policy| policy.starts_with("marks-"))
            })
            .await?;
        }
        Ok(())
    }

    /// Sends a request; what differs from what it is to get, if anything does.
    async fn differences(&self, request: &cases::Request) -> Result<Option<String>> {
        let mut sent = Request::get(&request.path).method(request.method.parse()?);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if let Some(authority) = &request.authority {
            sent = sent.header("host", authority);
        }
        let before = self.upstream.requests();
        let answer = self.client.send(self.proxy(request.direction).address(), &sent).await?;
        let got = Got { answer, reached: self.upstream.requests() > before };
        let differences = got.differences(request);
        Ok((!differences.is_empty()).then(|| format!("{}; got {got:?}", differences.join("; "))))
    }

    /// Waits until a proxy has counted so many shadow faults. One more than that would be a fault
    /// that no case asks for.
    async fn has_counted(&self, direction: Direction, shadows: usize) -> Result<()> {
        let deadline = Deadline::of("the shadow faults to be counted", Duration::from_secs(10));
        while self.proxy(direction).stat("hfi.faults.shadow_total").await.unwrap_or(0) != shadows as u64 {
            deadline.pause().await?;
        }
        Ok(())
    }
}

/// A sidecar with the route that each request names. An authority has one route, or none.
fn routed(sidecar: Sidecar, cases: &[Case]) -> Result<Sidecar> {
    let run = cases.iter().filter(|case| case.table.native_only.is_none());
    let mut clusters = BTreeMap::new();
    for cases::Request { authority, cluster, .. } in run.flat_map(|case| &case.table.requests) {
        let Some(authority) = authority else { continue };
        let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _port)| host);
        let known = clusters.entry(host.to_ascii_lowercase()).or_insert(cluster.as_deref());
        ensure!(*known == cluster.as_deref(), "{host} has two routes");
    }
    let routes = clusters.into_iter().filter_map(|(host, cluster)| Some((host, cluster?)));
    Ok(routes.fold(sidecar, |sidecar, (host, cluster)| sidecar.routing(&host, cluster)))
}
