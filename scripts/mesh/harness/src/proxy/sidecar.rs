//! The description of a proxy that is to be started.

mod options;
mod routes;

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

pub(crate) use options::Caller;
use options::EnvoyOptions;
pub(crate) use routes::Route;

/// The control plane's address inside a mesh.
pub const CONTROL_PLANE: &str = "hfi-control-plane.boifi.svc.cluster.local:8080";

/// A sidecar to be: change what a case needs to be different, then start it.
#[derive(Debug, Clone)]
pub struct Sidecar {
    pub(crate) service: String,
    pub(crate) replica: usize,
    pub(crate) workload: SocketAddr,
    pub(crate) control_plane: Vec<SocketAddr>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) plugin: Option<Map<String, Value>>,
    pub(crate) concurrency: usize,
    pub(crate) is_outbound: bool,
    pub(crate) answers_itself: bool,
    pub(crate) options: EnvoyOptions,
    pub(crate) plugin_name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) has_both_listeners: bool,
    pub(crate) is_reconfigurable: bool,
}

/// The kind of proxy: Istio's node ids begin with it.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Sidecar,
    Gateway,
    /// With its filter chains, by name.
    Waypoint(Vec<String>),
}

impl Sidecar {
    /// One replica of a service of namespace `demo`, in front of `workload`, with the filter and two
    /// worker threads, or as many as `HFI_CONCURRENCY` says, and no way to a control plane.
    pub fn of(service: &str, workload: SocketAddr) -> Self {
        let labels = json!({"app": service, "service.istio.io/canonical-name": service});
        let sidecar = Self {
            service: service.to_owned(),
            replica: 1,
            workload,
            control_plane: Vec::new(),
            metadata: Map::new(),
            plugin: Some(Map::new()),
            concurrency: workers(),
            is_outbound: false,
            answers_itself: false,
            plugin_name: "boifi.hfi",
            kind: Kind::Sidecar,
            has_both_listeners: false,
            is_reconfigurable: false,
            options: EnvoyOptions::default(),
        };
        sidecar
            .metadata("WORKLOAD_NAME", service.into())
            .metadata("NAMESPACE", "demo".into())
            .metadata("LABELS", labels)
            .plugin("control_plane_address", CONTROL_PLANE.into())
    }

    /// With a cluster for the control plane, which is really at `address`.
    pub fn following(self, address: SocketAddr) -> Self {
        self.following_any(vec![address])
    }

    /// The same where the control plane has several replicas behind one Service.
    pub fn following_any(self, replicas: Vec<SocketAddr>) -> Self {
        Self { control_plane: replicas, ..self }
    }

    /// As another replica: replicas differ in node id and address.
    pub fn replica(self, replica: usize) -> Self {
        Self { replica, ..self }
    }

    /// With so many worker threads.
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { concurrency, ..self }
    }

    /// With the listener for what the workload calls, instead of the one for what it receives.
    pub fn outbound(self) -> Self {
        Self { is_outbound: true, ..self }
    }

    /// With both listeners, and in each a plugin of its own name: two `WasmPlugin`s.
    pub fn both_ways(self) -> Self {
        Self { has_both_listeners: true, ..self }
    }

    /// As a gateway: what comes in at the edge of the mesh takes its outbound listener.
    pub fn gateway(self) -> Self {
        Self { kind: Kind::Gateway, ..self }.outbound()
    }

    /// As a waypoint with these filter chains, an empty name being none: [`Envoy::chain`] tells where
    /// each of them takes requests.
    ///
    /// [`Envoy::chain`]: crate::Envoy::chain
    pub fn waypoint(self, chains: &[&str]) -> Self {
        Self { kind: Kind::Waypoint(chains.iter().map(ToString::to_string).collect()), ..self }
    }

    /// With listeners from a file, so that a running proxy can be given others, as Istio does.
    pub fn reconfigurable(self) -> Self {
        Self { is_reconfigurable: true, ..self }
    }

    /// Without a workload: the proxy answers every request itself, after its filters.
    pub fn answering_itself(self) -> Self {
        Self { answers_itself: true, ..self }
    }

    /// With one more field of node metadata.
    pub fn metadata(mut self, field: &str, value: Value) -> Self {
        self.metadata.insert(field.to_owned(), value);
        self
    }

    /// Without node metadata: the proxy does not know what it is.
    pub fn without_identity(self) -> Self {
        Self { metadata: Map::new(), ..self }
    }

    /// With one more field of plugin configuration.
    pub fn plugin(mut self, field: &str, value: Value) -> Self {
        self.plugin.get_or_insert_default().insert(field.to_owned(), value);
        self
    }

    /// Without the filter, to compare with.
    pub fn without_filter(self) -> Self {
        Self { plugin: None, ..self }
    }

    /// The node id, as Istio builds it.
    pub fn node_id(&self) -> String {
        let Self { service, replica, .. } = self;
        let kind = match self.kind {
            Kind::Sidecar => "sidecar",
            Kind::Gateway => "router",
            Kind::Waypoint(_) => "waypoint",
        };
        format!("{kind}~10.0.0.{replica}~{service}-7d8f-{replica}.demo~demo.svc.cluster.local")
    }
}

/// The number of worker threads of a proxy by default: 2, or what `HFI_CONCURRENCY` says.
pub(crate) fn workers() -> usize {
    let asked = std::env::var("HFI_CONCURRENCY").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(2)
}
