//! Asks all replicas which filters they hear. Each hears only the polls that reach it, so only all together know
//! that a proxy polls nobody.
//!
//! The replicas are the ready endpoints of the Service: those that proxies reach. Where they serve HTTPS, the certificate
//! of each must be for the name of the Service, since the answer is believed and the question may carry a token.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures_util::future::try_join_all;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kube::{Api, api::ListParams};
use tokio::{task::spawn_blocking, time::Instant};

use super::{
    NAME,
    client::{
        call::{self, with_timeout},
        connection::Connection,
    },
    health::{ClusterTask, SharedHealth},
};
use crate::{
    access::token_file::TokenFile,
    api::{filters::Filters, time::Time},
    client::{Client, Failure, Token, exchange},
    fleet::gathered::{Gathered, counted},
    peers::replies::reason,
};

/// The time between two questions of the leader, which looks for silent proxies.
pub(crate) const PERIOD: Duration = Duration::from_secs(5);
/// The time between two questions of another replica, which shows only what nobody polls for.
const LONG_PERIOD: Duration = Duration::from_secs(30);
/// The failures in a row after which one is told: a replica that ends answers no more before its endpoint is gone.
const TOLERATED: u32 = 3;
/// The name of the port in the Service.
const PORT: &str = "http";

/// The label of an EndpointSlice that names its Service.
const OF_SERVICE: &str = "kubernetes.io/service-name";

/// The replicas, as the endpoints of the Service name them.
pub(crate) struct Replicas {
    slices: Api<EndpointSlice>,
    health: Arc<SharedHealth>,
    /// The name of the Service, which certificates are for where replicas serve HTTPS.
    certified: Option<String>,
    /// The only certificates that are trusted for it.
    ca_file: Option<PathBuf>,
    /// The file of the token that replicas ask for, if they do.
    tokens: Option<Arc<TokenFile>>,
    /// The token that the clients send.
    token: Option<Token>,
    /// A client for each replica.
    clients: BTreeMap<SocketAddr, Client>,
    /// These replicas, each with its start, have been the ones since then.
    listening: (Vec<(SocketAddr, Option<Time>)>, Instant),
    failures: u32,
}

impl Replicas {
    /// `tls`: the replicas serve HTTPS.
    pub(crate) fn new(
        connection: &Connection,
        health: Arc<SharedHealth>,
        tls: bool,
        ca_file: Option<PathBuf>,
        tokens: Option<Arc<TokenFile>>,
    ) -> Self {
        let namespace = &connection.namespace;
        Self {
            slices: Api::namespaced(connection.client.clone(), namespace),
            health,
            certified: tls.then(|| format!("{NAME}.{namespace}.svc")),
            ca_file,
            tokens,
            token: None,
            clients: BTreeMap::new(),
            listening: (Vec::new(), Instant::now()),
            failures: 0,
        }
    }

    /// Runs for ever.
    pub(crate) async fn follow(mut self) {
        let mut leadership = self.health.watch();
        loop {
            let gathered = self.gather().await;
            self.failures = if gathered.is_ok() { 0 } else { self.failures.saturating_add(1) };
            if gathered.is_err() {
                // The next ones read the trusted certificates again.
                self.clients.clear();
            }
            match &gathered {
                Ok(_) => self.health.record(ClusterTask::Replicas, Ok(())),
                Err(error) if self.failures >= TOLERATED => {
                    self.health.record(ClusterTask::Replicas, Err(error.clone()));
                }
                Err(_) => {}
            }
            self.health.set_gathered(gathered.unwrap_or_default());
            tokio::time::sleep(PERIOD).await;
            tokio::select! {
                _ = leadership.wait_for(|health| health.leader) => {}
                () = tokio::time::sleep(LONG_PERIOD - PERIOD) => {}
            }
        }
    }

    /// What all replicas hear; an error if one of them does not answer, or does not remember all that it heard.
    async fn gather(&mut self) -> Result<Option<Gathered>, String> {
        let of_service = ListParams::default().labels(&format!("{OF_SERVICE}={NAME}"));
        let slices = with_timeout(call::TIMEOUT, self.slices.list(&of_service)).await;
        self.meet(addresses(&slices.map_err(|error| error.to_string())?.items)).await?;
        let answers = self.clients.iter().map(|(address, client)| ask(*address, client));
        let answers = try_join_all(answers).await?;
        let starts = self.clients.keys().copied().zip(answers.iter().map(|answer| answer.since)).collect();
        // Filters of a replica that is gone need time to find another one.
        if self.listening.0 != starts {
            self.listening = (starts, Instant::now());
        }
        let mut gathered = Gathered::of(&answers);
        if let Some(gathered) = &mut gathered {
            gathered.listening = counted(self.listening.1.elapsed(), gathered.longest_wait);
        }
        Ok(gathered)
    }

    /// Makes the clients of these replicas, which send the present token.
    async fn meet(&mut self, addresses: BTreeSet<SocketAddr>) -> Result<(), String> {
        let text = self.tokens.as_ref().map(|tokens| tokens.first()).transpose()?;
        let token = text.map(|text| Token::of_text(text.as_bytes())).transpose().map_err(str::to_owned)?;
        if token != self.token {
            self.clients.clear();
            self.token = token;
        }
        self.clients.retain(|address, _| addresses.contains(address));
        for address in addresses {
            if !self.clients.contains_key(&address) {
                self.clients.insert(address, self.client(address).await?);
            }
        }
        Ok(())
    }

    async fn client(&self, address: SocketAddr) -> Result<Client, String> {
        let url = match &self.certified {
            Some(name) => format!("https://{name}:{}", address.port()),
            // By the name a sidecar would choose a replica itself.
            None => format!("http://{address}"),
        };
        let settings = exchange::Settings {
            server: url.parse().map_err(|error| format!("{url} {error}"))?,
            token: self.token.clone(),
            ca_file: self.ca_file.clone(),
            // It never leaves the network of the cluster.
            insecure_token: true,
            way: None,
            replica: Some(address),
            longest: exchange::LONGEST,
        };
        // It may read many certificates.
        let made = spawn_blocking(move || Client::new(settings)).await;
        let made = made.map_err(|_| "the client of a replica does not start".to_owned())?;
        made.map_err(|failure| reason(&failure))
    }
}

/// The addresses of the endpoints that are ready.
fn addresses(slices: &[EndpointSlice]) -> BTreeSet<SocketAddr> {
    let of_slice = |slice: &EndpointSlice| {
        let mut ports = slice.ports.iter().flatten();
        let named = ports.clone().find(|port| port.name.as_deref() == Some(PORT));
        let port = named.or_else(|| ports.next()).and_then(|port| u16::try_from(port.port?).ok());
        // Absent means that it is.
        let is_ready = |endpoint: &&Endpoint| {
            endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false)
        };
        let ready = slice.endpoints.iter().filter(is_ready);
        let addresses = ready.filter_map(|endpoint| endpoint.addresses.first()?.parse::<IpAddr>().ok());
        addresses.filter_map(|address| Some(SocketAddr::new(address, port?))).collect::<Vec<_>>()
    };
    slices.iter().flat_map(of_slice).collect()
}

async fn ask(address: SocketAddr, client: &Client) -> Result<Filters, String> {
    let failed = |reason: String| format!("replica {address} does not say which filters it hears: {reason}");
    let filters = client.filters_of_replica(call::TIMEOUT).await;
    let filters = filters.map_err(|failure| failed(told(&failure)))?;
    match filters.complete {
        true => Ok(filters),
        false => Err(failed("more poll it than it remembers".to_owned())),
    }
}

/// The reason of a failure, with what would be right if it is the token.
fn told(failure: &Failure) -> String {
    let reason = reason(failure);
    match failure.status() {
        Some(401) => format!("{reason}; its --view-token-file needs the token that is the first one here"),
        _ => reason,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{EndpointSlice, addresses};

    #[test]
    fn the_replicas_are_the_endpoints_that_proxies_reach() {
        let slices = json!([
            {
                "addressType": "IPv4",
                "endpoints": [
                    {"addresses": ["10.0.0.1"], "conditions": {"ready": true}},
                    {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
                    {"addresses": ["10.0.0.3"]},
                ],
                "ports": [{"name": "metrics", "port": 9090}, {"name": "http", "port": 8080}],
            },
            {"addressType": "IPv6", "endpoints": [{"addresses": ["2001:db8::1"]}], "ports": [{"port": 80}]},
        ]);
        let slices: Vec<EndpointSlice> = serde_json::from_value(slices).unwrap();
        let shown: Vec<_> = addresses(&slices).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.1:8080", "10.0.0.3:8080", "[2001:db8::1]:80"]);
    }
}
