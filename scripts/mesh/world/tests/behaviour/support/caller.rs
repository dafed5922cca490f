//! Requests from outside of the mesh, and from inside of a Pod.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use harness::{Answer, Client, Load, Request, Results, everywhere};
use world::World;

use super::pods::{name, pods};

/// Whoever sends requests.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'w> {
    world: &'w World,
    /// The namespace and the name of a workload; the node if it has none.
    workload: Option<(&'w str, &'w str)>,
}

impl<'w> Caller<'w> {
    /// The node, which has no proxy.
    pub(crate) fn outside(world: &'w World) -> Self {
        Self { world, workload: None }
    }

    /// The application of a workload with one Pod.
    pub(crate) fn inside(world: &'w World, namespace: &'w str, name: &'w str) -> Self {
        Self { world, workload: Some((namespace, name)) }
    }

    /// Sends requests, one after the other.
    pub(crate) async fn send(&self, address: SocketAddr, requests: Vec<Request>) -> Result<Vec<Answer>> {
        self.run(async move || {
            let client = Client::new()?;
            let mut answers = Vec::new();
            for request in requests {
                answers.push(client.send(address, &request).await?);
            }
            Ok(answers)
        })
        .await
    }

    /// Sends one request.
    pub(crate) async fn ask(&self, address: SocketAddr, request: Request) -> Result<Answer> {
        self.send(address, vec![request]).await?.pop().context("one answer for one request")
    }

    /// Sends many requests.
    pub(crate) async fn load(&self, address: SocketAddr, load: Load) -> Result<Results> {
        self.run(async move || load.run(&Client::new()?, &[address]).await).await
    }

    /// Asks until all workers of the proxies on the way answer as wanted.
    pub(crate) async fn until(
        &self,
        address: SocketAddr,
        request: Request,
        wanted: impl Fn(&Answer) -> bool + Send + 'static,
    ) -> Result<()> {
        self.run(async move || everywhere(address, &request, wanted).await).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Some((namespace, app)) = self.workload else { return work().await };
        let pods = pods(self.world, namespace, Some(app)).await?;
        let pod = name(pods.first().with_context(|| format!("{namespace}/{app} has no Pod"))?);
        self.world.inside(namespace, pod, work).await
    }
}
