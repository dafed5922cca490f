use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Answer, Client, Deadline, Envoy, Mesh, Request, everywhere};
use tokio::task::JoinSet;

const POLICY: &str = r#"
metadata: {name: late}
spec:
  selector: {service: frontend, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 418}}}
    - match: {path: {exact: /demo.Echo/Fail}}
      fault: {percentage: 100, delay: {fixed_delay_ms: MILLIS}, abort: {grpcStatus: UNAVAILABLE}}
    - match: {path: {exact: /abort}}
      fault: {percentage: 100, delay: {fixed_delay_ms: MILLIS}, abort: {httpStatus: 503}}
    - match: {path: {exact: /delay}}
      fault: {percentage: 100, delay: {fixed_delay_ms: MILLIS}}
"#;

const PATHS: [&str; 3] = ["/demo.Echo/Fail", "/abort", "/delay"];

/// Envoy deletes a stream that is reset only after everything else that it finds to do at that time.
/// Here it finds both to do at once: that the streams are reset, and that their faults are due.
#[tokio::test]
async fn at_the_very_same_time() -> Result<()> {
    const DELAY: Duration = Duration::from_secs(2);
    let mut bed = TestBed::start(DELAY).await?;
    for _ in 0..2 {
        let clients = [Client::new()?, Client::http2()?, Client::http2()?];
        let mut leaving = JoinSet::new();
        for (client, path) in clients.iter().flat_map(|client| PATHS.map(|path| (client, path))) {
            for _ in 0..20 {
                leaving.spawn(bed.ask(client, path));
            }
        }
        let deadline = Deadline::of("the proxy to hold all requests", DELAY);
        while bed.envoy.stat("hfi.faults.active").await? != leaving.len() as u64 {
            deadline.pause().await?;
        }
        bed.envoy.freeze()?;
        // They end in the client only: its HTTP/2 connections go on, and tell of every reset.
        leaving.shutdown().await;
        tokio::time::sleep(DELAY).await;
        bed.envoy.thaw()?;
        bed.goes_on().await?;
    }
    bed.ends_well().await
}

/// As it comes about by itself: clients whose time-out is about as long as the delay.
#[tokio::test]
async fn or_at_about_that_time() -> Result<()> {
    const DELAY: Duration = Duration::from_millis(400);
    let mut bed = TestBed::start(DELAY).await?;
    for _ in 0..6 {
        let mut leaving = JoinSet::new();
        for number in 0..20 {
            let client = Client::http2()?;
            // One after the other, so that there are many times at which something is due.
            tokio::time::sleep(Duration::from_millis(5)).await;
            for (stream, path) in (0..10).flat_map(|stream| PATHS.map(|path| (stream, path))) {
                let patience = DELAY + Duration::from_micros(400 * stream + 20 * number);
                leaving.spawn(tokio::time::timeout(patience, bed.ask(&client, path)));
            }
        }
        leaving.join_all().await;
        bed.goes_on().await?;
    }
    bed.ends_well().await
}

struct TestBed {
    envoy: Envoy,
    _mesh: Mesh,
}

impl TestBed {
    /// With one worker, so that all that happens happens to the same.
    async fn start(delay: Duration) -> Result<Self> {
        let mesh = Mesh::start(&[]).await?;
        let envoy = Envoy::start(mesh.sidecar("frontend").concurrency(1), &mesh.client).await?;
        let policy = POLICY.replace("MILLIS", &delay.as_millis().to_string());
        mesh.publish("late.yaml", &policy).await?;
        everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;
        Ok(Self { envoy, _mesh: mesh })
    }

    fn ask(&self, client: &Client, path: &str) -> impl Future<Output = Result<Answer>> + Send + 'static {
        let (client, address) = (client.clone(), self.envoy.address());
        let request = Request::get(path).header("content-type", "application/grpc");
        async move { client.send(address, &request).await }
    }

    /// Every request is forgotten, and others get what is theirs.
    async fn goes_on(&self) -> Result<()> {
        let deadline = Deadline::of("the proxy to hold nothing", Duration::from_secs(5));
        while self.envoy.stat("hfi.faults.active").await.with_context(|| self.log())? != 0 {
            deadline.pause().await?;
        }
        everywhere(self.envoy.address(), &Request::get("/settled"), Answer::aborted)
            .await
            .with_context(|| self.log())
    }

    /// It is still the process that was started, and ends only when it is asked to.
    async fn ends_well(&mut self) -> Result<()> {
        let status = self.envoy.terminate().await?;
        ensure!(status.success(), "{status}: {}", self.log());
        Ok(())
    }

    fn log(&self) -> String {
        self.envoy.log().unwrap_or_default()
    }
}
