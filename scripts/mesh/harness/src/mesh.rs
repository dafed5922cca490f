//! All of it together.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::git::{Push, Repository};
use crate::proxy::Envoy;
use crate::proxy::{Sidecar, workers};
use crate::reconciler::{Reconciler, Source};
use crate::system::loopback;
use crate::traffic::Upstream;
use crate::traffic::everywhere;
use crate::traffic::{Answer, Client, Request};

/// A repository, the reconciler that follows it, and services whose every replica is an Envoy.
#[derive(Debug)]
pub struct Mesh {
    /// Sends the requests.
    pub client: Client,
    /// The workload behind every proxy.
    pub upstream: Upstream,
    envoys: Vec<(String, Envoy)>,
    control_plane: Vec<SocketAddr>,
    /// Serves the repository's policies to the proxies.
    pub reconciler: Reconciler,
    /// The repository that policies are pushed to.
    pub repository: Repository,
}

impl Mesh {
    /// A mesh without policies: each service by name and number of replicas.
    pub async fn start(services: &[(&str, usize)]) -> Result<Self> {
        Self::over(Repository::new().await?, services, workers()).await
    }

    /// A mesh over a repository, its proxies with so many worker threads each.
    pub async fn over(
        repository: Repository,
        services: &[(&str, usize)],
        concurrency: usize,
    ) -> Result<Self> {
        Self::replicated(repository, &[], services, concurrency).await
    }

    /// The same with other replicas of its reconciler, which the proxies reach behind one address.
    pub async fn replicated(
        repository: Repository,
        others: &[SocketAddr],
        services: &[(&str, usize)],
        concurrency: usize,
    ) -> Result<Self> {
        let source = Source::local(&repository.bare());
        let reconciler = Reconciler::start(source, loopback()).await?;
        Self::around(repository, reconciler, others, services, concurrency).await
    }

    /// The same around a reconciler that runs already and serves the repository.
    pub async fn around(
        repository: Repository,
        mut reconciler: Reconciler,
        others: &[SocketAddr],
        services: &[(&str, usize)],
        concurrency: usize,
    ) -> Result<Self> {
        let client = Client::new()?;
        let upstream = Upstream::start().await?;
        reconciler.ready(&client).await?;
        let control_plane = [&[reconciler.address()], others].concat();

        let mut starting = JoinSet::new();
        for &(service, replicas) in services {
            for replica in 1..=replicas {
                let sidecar = Sidecar::of(service, upstream.address())
                    .replica(replica)
                    .concurrency(concurrency)
                    .following_any(control_plane.clone());
                let (service, client) = (service.to_owned(), client.clone());
                starting.spawn(async move {
                    let envoy = Envoy::start(sidecar, &client).await;
                    envoy.map(|envoy| (service, envoy))
                });
            }
        }
        let mut envoys = Vec::new();
        while let Some(started) = starting.join_next().await {
            envoys.push(started??);
        }
        envoys.sort_by_key(|(service, envoy)| (service.clone(), envoy.node_id()));
        Ok(Self { client, upstream, envoys, control_plane, reconciler, repository })
    }

    /// One more proxy of this mesh, to be made different and started.
    pub fn sidecar(&self, service: &str) -> Sidecar {
        Sidecar::of(service, self.upstream.address()).following_any(self.control_plane.clone())
    }

    /// The proxies of a service.
    pub fn envoys(&self, service: &str) -> impl Iterator<Item = &Envoy> {
        self.envoys.iter().filter(move |(name, _)| name == service).map(|(_, envoy)| envoy)
    }

    /// The proxies of a service, to be restarted.
    pub fn envoys_mut(&mut self, service: &str) -> impl Iterator<Item = &mut Envoy> {
        self.envoys.iter_mut().filter(move |(name, _)| name == service).map(|(_, envoy)| envoy)
    }

    /// One proxy of a service, to be restarted.
    pub fn envoy_mut(&mut self, service: &str) -> Result<&mut Envoy> {
        self.envoys_mut(service).next().with_context(|| format!("no service {service} in this mesh"))
    }

    /// The addresses of a service's replicas.
    pub fn addresses(&self, service: &str) -> Vec<SocketAddr> {
        self.envoys(service).map(Envoy::address).collect()
    }

    /// Writes a file of the repository and pushes it.
    pub async fn publish(&self, file: &str, text: &str) -> Result<Push> {
        self.repository.write(file, text)?;
        self.repository.push(&format!("Write {file}")).await
    }

    /// Removes a file of the repository and pushes that.
    pub async fn retract(&self, file: &str) -> Result<Push> {
        self.repository.remove(file)?;
        self.repository.push(&format!("Remove {file}")).await
    }

    /// Waits until every worker of every replica of a service answers as wanted.
    pub async fn everywhere(
        &self,
        service: &str,
        request: &Request,
        wanted: impl Fn(&Answer) -> bool,
    ) -> Result<()> {
        for address in self.addresses(service) {
            everywhere(address, request, &wanted).await?;
        }
        Ok(())
    }
}
