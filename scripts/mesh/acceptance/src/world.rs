//! The mesh that the stories play in: ten services, two replicas of the reconciler behind one address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{
    Answer, Client, Deadline, Load, Mesh, Reconciler, Repository, Request, Results, Source, loopback, reached,
};
use serde_json::Value;

use crate::policy::{PROBE, Policy};

pub(crate) const FRONTEND: &str = "frontend";
pub(crate) const PRODUCTCATALOG: &str = "productcatalog";
/// Each with the number of its replicas.
const SERVICES: [(&str, usize); 10] = [
    (FRONTEND, 3),
    (PRODUCTCATALOG, 1),
    ("ad", 1),
    ("cart", 1),
    ("checkout", 1),
    ("currency", 1),
    ("email", 1),
    ("payment", 1),
    ("recommendation", 1),
    ("shipping", 1),
];
/// As many worker threads as Istio gives a sidecar.
const WORKERS: usize = 2;

/// All of it, and what has been measured on the way.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) mesh: Mesh,
    /// The other replica of the reconciler.
    pub(crate) peer: Reconciler,
    /// From the start of the first process until the last sidecar had its first snapshot, less what its
    /// Envoy's main thread waited for a processor: all start at once, on one machine.
    pub(crate) loaded_after: Duration,
    /// The time of each change from `git push` to the last sidecar.
    pub(crate) updates: Vec<Duration>,
    in_force: Vec<Policy>,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let repository = Repository::new().await?;
        let peer = Reconciler::start(Source::local(&repository.bare()), loopback()).await?;
        let began = Instant::now();
        let mesh = Mesh::replicated(repository, &[peer.address()], &SERVICES, WORKERS).await?;
        let (updates, in_force) = (Vec::new(), Vec::new());
        let mut world = Self { mesh, peer, loaded_after: Duration::ZERO, updates, in_force };
        world.peer.ready(&world.mesh.client).await?;
        for envoy in services().flat_map(|service| world.mesh.envoys(service)) {
            let deadline = Deadline::of("a sidecar's first snapshot", Duration::from_secs(30));
            while envoy.stat("hfi.sync.updates_total").await.unwrap_or_default() == 0 {
                deadline.pause().await?;
            }
            let after = began.elapsed().saturating_sub(envoy.time_in_queue()?);
            world.loaded_after = world.loaded_after.max(after);
        }
        world.both_are_endpoints().await?;
        Ok(world)
    }

    /// Waits until every sidecar takes both replicas for ready.
    async fn both_are_endpoints(&self) -> Result<()> {
        let healthy = "hfi-control-plane.boifi.svc.cluster.local.membership_healthy";
        for envoy in services().flat_map(|service| self.mesh.envoys(service)) {
            let deadline = Deadline::of("both replicas to be endpoints", Duration::from_secs(30));
            while envoy.stat(healthy).await? != 2 {
                deadline.pause().await?;
            }
        }
        Ok(())
    }

    /// Makes these the only policies, by one push; returns how long it took from the start of
    /// `git push` until the last sidecar did what they say.
    pub(crate) async fn publish(&mut self, policies: Vec<Policy>) -> Result<Duration> {
        if policies.is_empty() && self.in_force.is_empty() {
            return Ok(Duration::ZERO);
        }
        let began = self.push(policies).await?;
        let (_, last) = self.followed().await?;
        let took = last.saturating_duration_since(began);
        self.updates.push(took);
        Ok(took)
    }

    /// The same without waiting; tells when `git push` began.
    pub(crate) async fn push(&mut self, policies: Vec<Policy>) -> Result<Instant> {
        let repository = &self.mesh.repository;
        for policy in &self.in_force {
            repository.remove(&policy.file())?;
        }
        for policy in &policies {
            repository.write(&policy.file(), &policy.yaml())?;
        }
        self.in_force = policies;
        Ok(repository.push("Change what is injected").await?.began)
    }

    /// Waits until every worker of every sidecar does what the policies say; tells when the first
    /// and the last sidecar did.
    pub(crate) async fn followed(&self) -> Result<(Instant, Instant)> {
        let probe = Request::get(PROBE);
        let proxies = services().flat_map(|service| {
            let there = self.in_force_at(service);
            self.mesh.addresses(service).into_iter().map(move |address| (address, there.clone().shown()))
        });
        let seen = reached(&self.mesh.client, &probe, proxies).await?;
        for service in services() {
            self.mesh.everywhere(service, &probe, self.in_force_at(service).shown()).await?;
        }
        Ok(seen)
    }

    fn in_force_at(&self, service: &str) -> InForce {
        let mut selecting = self.in_force.iter().filter(|policy| policy.selects(service));
        match selecting.next() {
            Some(policy) => InForce::Policy(policy.name.clone()),
            None => InForce::Nothing(self.in_force.iter().map(|policy| policy.name.clone()).collect()),
        }
    }

    /// The results of this many requests to a service, sent to its replicas in turn.
    pub(crate) async fn ask(&self, service: &str, requests: usize) -> Result<Results> {
        self.ask_at(&self.mesh.addresses(service), requests).await
    }

    /// The results of this many requests to these proxies, sent to them in turn.
    pub(crate) async fn ask_at(&self, addresses: &[SocketAddr], requests: usize) -> Result<Results> {
        Load::of(Request::get("/"), requests).run(&self.mesh.client, addresses).await
    }

    /// The requests that did not pass untouched, of `each` to every service but the targeted one.
    pub(crate) async fn leak(&self, targeted: &str, each: usize) -> Result<Leak> {
        let mut leak = Leak::default();
        for service in services().filter(|service| *service != targeted) {
            let results = self.ask(service, each).await?;
            leak.requests += results.requests();
            leak.touched += results.requests() - results.with_status(200) + results.delayed();
        }
        Ok(leak)
    }
}

/// The number of requests that were touched, and of all requests.
#[derive(Debug, Default)]
pub(crate) struct Leak {
    pub(crate) touched: usize,
    pub(crate) requests: usize,
}

/// Every service, by name.
pub(crate) fn services() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|(service, _)| *service)
}

/// The number of sidecars of all services together.
pub(crate) fn sidecars() -> usize {
    SERVICES.iter().map(|(_, replicas)| replicas).sum()
}

/// Reads a JSON answer of a reconciler.
pub(crate) async fn json(client: &Client, address: SocketAddr, path: &str) -> Result<Value> {
    let answer = client.send(address, &Request::get(path)).await?;
    serde_json::from_str(&answer.body).with_context(|| format!("{path}: {}", answer.body))
}

/// The policy that is in force at a service, or none.
#[derive(Debug, Clone)]
enum InForce {
    /// The policy that decides there.
    Policy(String),
    /// None of these. That one of them hits the service all the same is for a story to find and to count.
    Nothing(Vec<String>),
}

impl InForce {
    /// True for an answer that shows that a sidecar has come so far.
    fn shown(self) -> impl Fn(&Answer) -> bool + Send + Sync + 'static {
        move |answer| match (&self, answer.header("x-hfi-policy")) {
            (Self::Policy(name), shown) => shown == Some(name),
            (Self::Nothing(_), None) => true,
            (Self::Nothing(elsewhere), Some(shown)) => elsewhere.iter().any(|name| name == shown),
        }
    }
}
