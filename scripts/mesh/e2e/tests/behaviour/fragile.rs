//! Proxies whose filter traps when a request asks for it, for the tests that need them: with a build
//! of its own, since in any other a trap would be a defect.

use anyhow::{Context, Result, ensure};
use harness::{Client, Envoy, Mesh, Request, Sidecar, paths};

use crate::policies::policy;

/// Aborts with a status that Envoy never has of its own accord.
pub(crate) fn teapot() -> String {
    policy("teapot", "frontend", "percentage: 100, abort: {httpStatus: 418}")
}

/// A proxy of `frontend` with so many workers.
pub(crate) fn fragile(mesh: &Mesh, workers: usize) -> Result<Sidecar> {
    Ok(mesh.sidecar("frontend").concurrency(workers).module(&paths::filter_that_traps()?))
}

/// Lets the filter trap on the worker that this client's connection is with. Envoy fails the request
/// that did it, whatever the failure policy.
pub(crate) async fn trap(connection: &Client, envoy: &Envoy) -> Result<()> {
    let before = threads(envoy, TRAPPED)?.len();
    let answer = connection.send(envoy.address(), &Request::get("/").header("x-hfi-trap", "now")).await?;
    ensure!(answer.status == 503 && !answer.aborted(), "{answer:?}");
    ensure!(threads(envoy, TRAPPED)?.len() == before + 1, "it did not trap: {}", envoy.log()?);
    Ok(())
}

/// The line that Envoy logs of a trap.
pub(crate) const TRAPPED: &str = "proxy_on_request_headers failed: Uncaught RuntimeError: unreachable";

/// The threads that have logged this, in turn. Envoy's lines begin with the time and the thread.
pub(crate) fn threads(envoy: &Envoy, message: &str) -> Result<Vec<u32>> {
    let log = envoy.log()?;
    let lines = log.lines().filter(|line| line.contains(message));
    lines.map(|line| line.split(['[', ']']).nth(3)?.parse().ok()).collect::<Option<_>>().context(log.clone())
}
