//! All of it together, and waiting until it does what a policy says.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::client::{Answer, Client, Request};
use crate::envoy::Envoy;
use crate::reconciler::{Reconciler, Source};
use crate::repository::{Push, Repository};
use crate::sidecar::{Sidecar, workers};
use crate::upstream::Upstream;
use crate::wait::Deadline;

const PATIENCE: Duration = Duration::from_secs(20);

/// A repository, the reconciler that follows it, and services whose every replica is an Envoy.
#[derive(Debug)]
pub struct Mesh {
    /// Sends the requests.
    pub client: Client,
    /// The workload behind every proxy.
    pub upstream: Upstream,
    envoys: Vec<(String, Envoy)>,
    /// Serves the repository's policies to the proxies.
    pub reconciler: Reconciler,
    /// What one pushes policies to.
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
        let client = Client::new()?;
        let upstream = Upstream::start().await?;
        let source = Source::local(&repository.bare());
        let mut reconciler = Reconciler::start(source, loopback()).await?;
        reconciler.ready(&client).await?;

        let mut starting = JoinSet::new();
        for &(service, replicas) in services {
            for replica in 1..=replicas {
                let sidecar = Sidecar::of(service, upstream.address())
                    .replica(replica)
                    .concurrency(concurrency)
                    .following(reconciler.address());
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
        Ok(Self { client, upstream, envoys, reconciler, repository })
    }

    /// One more proxy of this mesh, to be made different and started.
    pub fn sidecar(&self, service: &str) -> Sidecar {
        Sidecar::of(service, self.upstream.address()).following(self.reconciler.address())
    }

    /// The proxies of a service.
    pub fn envoys(&self, service: &str) -> impl Iterator<Item = &Envoy> {
        self.envoys.iter().filter(move |(name, _)| name == service).map(|(_, envoy)| envoy)
    }

    /// One proxy of a service, to be restarted.
    pub fn envoy_mut(&mut self, service: &str) -> Result<&mut Envoy> {
        let mut envoys = self.envoys.iter_mut();
        let found = envoys.find(|(name, _)| name == service).map(|(_, envoy)| envoy);
        found.with_context(|| format!("no service {service} in this mesh"))
    }

    /// Where a service's replicas take requests.
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

/// Asks one proxy until an answer is as wanted; tells when that was.
pub async fn first(
    client: &Client,
    address: SocketAddr,
    request: &Request,
    wanted: impl Fn(&Answer) -> bool,
) -> Result<Instant> {
    let deadline = Deadline::of("an answer as wanted", PATIENCE);
    while !wanted(&client.send(address, request).await?) {
        deadline.pause().await?;
    }
    Ok(Instant::now())
}

/// Asks one proxy until all its workers answer as wanted. Each worker has its own copy of the
/// filter, and a connection stays with one worker: so this asks over many new connections at once.
pub async fn everywhere(
    address: SocketAddr,
    request: &Request,
    wanted: impl Fn(&Answer) -> bool,
) -> Result<()> {
    const CONNECTIONS: usize = 16;
    let deadline = Deadline::of("answers as wanted from every worker", PATIENCE);
    loop {
        let client = Client::new()?;
        let mut asking = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (client, request) = (client.clone(), request.clone());
            asking.spawn(async move { client.send(address, &request).await });
        }
        let mut all = true;
        while let Some(answer) = asking.join_next().await {
            all &= wanted(&answer??);
        }
        if all {
            return Ok(());
        }
        deadline.pause().await?;
    }
}

/// Any free port of the loopback interface.
pub fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
