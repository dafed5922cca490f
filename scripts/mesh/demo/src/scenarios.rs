//! The scenarios of the demo, one after the other.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use harness::Expectation::{self, Aborted, Delayed, Untouched};
use harness::{Load, Mesh, Request, Results};
use reqwest::Method;
use tokio::task::JoinSet;

use crate::table::{Row, Table};
use crate::timing::{first_fault, last_fault};

pub(crate) const FRONTEND: &str = "frontend";
pub(crate) const CHECKOUT: &str = "checkout";
pub(crate) const PRODUCTCATALOG: &str = "productcatalog";

const ERRORS_FILE: &str = "demo/frontend-errors.yaml";
const ERRORS: &str = include_str!("frontend-errors.yaml");
const SHARE: Expectation = Aborted { share: 0.3 };

const SLOW_FILE: &str = "demo/checkout-slow-reads.yaml";
const SLOW: &str = include_str!("checkout-slow-reads.yaml");
const SLOW_BY: Expectation = Delayed { by: Duration::from_millis(300) };

/// The demo, and what has come of it so far.
#[derive(Debug)]
pub(crate) struct Demo<'a> {
    mesh: &'a Mesh,
    checks: usize,
    failures: usize,
    first_fault: Duration,
    last_fault: Duration,
}

impl<'a> Demo<'a> {
    pub(crate) fn new(mesh: &'a Mesh) -> Self {
        let zero = Duration::ZERO;
        Self { mesh, checks: 0, failures: 0, first_fault: zero, last_fault: zero }
    }

    /// All acts in their order.
    pub(crate) async fn play(&mut self) -> Result<()> {
        println!("\n1  The policies in Git are about other services: nothing happens to these");
        self.watch(vec![
            get(FRONTEND, "/", 300, Untouched),
            get(CHECKOUT, "/api/cart", 300, Untouched),
            get(PRODUCTCATALOG, "/", 300, Untouched),
        ])
        .await?;

        println!("\n2  git push of a policy: abort 30 % of the requests to frontend");
        let push = self.mesh.publish(ERRORS_FILE, ERRORS).await?;
        self.first_fault = first_fault(self.mesh, push, "503", FRONTEND, Request::get("/")).await?;
        self.watch(vec![
            get(FRONTEND, "/", 600, SHARE),
            get(CHECKOUT, "/api/cart", 300, Untouched),
            get(PRODUCTCATALOG, "/", 300, Untouched),
        ])
        .await?;

        println!("\n3  git push of another: delay reads of checkout's API by 300 ms");
        let push = self.mesh.publish(SLOW_FILE, SLOW).await?;
        first_fault(self.mesh, push, "delayed answer", CHECKOUT, Request::get("/api/cart")).await?;
        self.watch(vec![
            get(CHECKOUT, "/api/cart", 100, SLOW_BY),
            post(CHECKOUT, "/api/cart", 300, Untouched),
            get(CHECKOUT, "/healthz", 300, Untouched),
            get(FRONTEND, "/", 600, SHARE),
            get(PRODUCTCATALOG, "/", 300, Untouched),
        ])
        .await?;

        println!("\n4  git rm of both, git push");
        let faulted = [(FRONTEND, Request::get("/")), (CHECKOUT, Request::get("/api/cart"))];
        self.mesh.repository.remove(ERRORS_FILE)?;
        self.last_fault = last_fault(self.mesh, self.mesh.retract(SLOW_FILE), faulted).await?;
        self.watch(vec![
            get(FRONTEND, "/", 600, Untouched),
            get(CHECKOUT, "/api/cart", 300, Untouched),
            get(PRODUCTCATALOG, "/", 300, Untouched),
        ])
        .await
    }

    /// True if everything observed so far is what the policies say.
    pub(crate) fn all_well(&self) -> bool {
        self.failures == 0
    }

    /// The whole in one line.
    pub(crate) fn summary(&self) -> String {
        let Self { checks, failures, .. } = self;
        let (first, last) = (self.first_fault.as_millis(), self.last_fault.as_millis());
        let verdict = match failures {
            0 => format!("ok: all {checks} observations are what the policies say"),
            _ => format!("FAIL: {failures} of {checks} observations are not what the policies say"),
        };
        format!("{verdict}; first fault {first} ms after git push, last {last} ms after its removal")
    }

    /// Puts a policy back in force and tells how to play with it.
    pub(crate) async fn leave_running(&self) -> Result<()> {
        let mesh = self.mesh;
        mesh.publish(ERRORS_FILE, ERRORS).await?;
        println!("\nStill running, with {ERRORS_FILE} in force. Ctrl-C ends it.\n");
        for service in [FRONTEND, CHECKOUT, PRODUCTCATALOG] {
            for envoy in mesh.envoys(service) {
                println!(
                    "  {service:<16} http://{}/    Envoy's admin: http://{}/",
                    envoy.address(),
                    envoy.admin()
                );
            }
        }
        println!("  {:<16} http://{}/v1/policies", "hfi", mesh.reconciler.address());
        let work = mesh.repository.work();
        println!("  {:<16} {}", "policies", work.display());
        if let Some(envoy) = mesh.envoys(FRONTEND).next() {
            println!("\nAsk a few times:  curl -i http://{}/", envoy.address());
        }
        println!("Change a policy, or remove it, and ask again:\n");
        for command in [&format!("rm {ERRORS_FILE}"), "commit -m 'Lunch is over'", "push"] {
            println!("  git -C {} {command}", quoted(&work));
        }
        Ok(())
    }

    /// Sends the requests of all rows at once, shows what they get, and judges it.
    async fn watch(&mut self, rows: Vec<Row>) -> Result<()> {
        let mut table = Table::new();
        let mut senders = JoinSet::new();
        for row in &rows {
            let (load, results) = (row.load.clone(), Arc::clone(&row.results));
            let (client, addresses) = (self.mesh.client.clone(), self.mesh.addresses(row.service));
            senders.spawn(async move { load.run_into(&client, &addresses, &results).await });
        }
        let mut redraw = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                ended = senders.join_next() => match ended {
                    Some(ended) => ended??,
                    None => break,
                },
                _ = redraw.tick() => table.update(&rows)?,
            }
        }
        self.checks += rows.len();
        self.failures += rows.iter().filter(|row| !row.holds()).count();
        table.conclude(&rows)
    }
}

fn get(service: &'static str, path: &str, requests: usize, expectation: Expectation) -> Row {
    row(service, "GET", Request::get(path), requests, expectation)
}

fn post(service: &'static str, path: &str, requests: usize, expectation: Expectation) -> Row {
    row(service, "POST", Request::get(path).method(Method::POST), requests, expectation)
}

fn row(
    service: &'static str,
    method: &str,
    request: Request,
    requests: usize,
    expectation: Expectation,
) -> Row {
    // Few at a time, so that latencies are those of the mesh and not of a queue before it.
    let concurrency = if matches!(expectation, Delayed { .. }) { 20 } else { 2 };
    let title = format!("{service} {method} {}", request.path());
    let load = Load::of(request, requests).concurrency(concurrency);
    Row { title, service, load, expectation, results: Arc::new(Mutex::new(Results::default())) }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}
