mod got;

use std::path::Path;
use std::time::Duration;

use anyhow::{Error, Result};
use harness::{Client, Deadline, Envoy, Reconciler, Request, Sidecar, Source, Upstream, first, loopback};
use policies::testing::{
    cases::{self, Direction, Expectation},
    directory::{self, CASES, Case},
};
use tempfile::TempDir;

use self::got::Got;

/// The same cases run natively in `policies/tests/conformance.rs`.
#[tokio::test]
async fn case_by_case() -> Result<()> {
    let cases = directory::all(Path::new(CASES)).map_err(Error::msg)?;
    let bed = TestBed::start().await?;
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
    for direction in [Direction::Inbound, Direction::Outbound] {
        bed.has_counted(direction, shadows(direction)).await?;
    }
    Ok(())
}

/// A reconciler of a directory, and `checkout` with a proxy for either direction.
struct TestBed {
    client: Client,
    upstream: Upstream,
    inbound: Envoy,
    outbound: Envoy,
    folder: TempDir,
    _reconciler: Reconciler,
}

impl TestBed {
    async fn start() -> Result<Self> {
        let (client, upstream, folder) = (Client::new()?, Upstream::start().await?, tempfile::tempdir()?);
        let mut reconciler = Reconciler::start(Source::Folder(folder.path().to_owned()), loopback()).await?;
        reconciler.ready(&client).await?;
        // With one worker each, one answer tells what the next one will be.
        let sidecar = Sidecar::of("checkout", upstream.address()).following(reconciler.address());
        let sidecar = sidecar.concurrency(1);
        let outbound = Envoy::start(sidecar.clone().replica(2).outbound(), &client).await?;
        let inbound = Envoy::start(sidecar, &client).await?;
        Ok(Self { client, upstream, inbound, outbound, folder, _reconciler: reconciler })
    }

    fn proxy(&self, direction: Direction) -> &Envoy {
        match direction {
            Direction::Inbound => &self.inbound,
            Direction::Outbound => &self.outbound,
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
        for direction in [Direction::Inbound, Direction::Outbound] {
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
