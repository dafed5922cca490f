//! What a proxy is to be.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

/// The control plane's address inside a mesh.
pub const CONTROL_PLANE: &str = "hfi-control-plane.boifi.svc.cluster.local:8080";

/// A sidecar to be: change what a case needs to be different, then start it.
#[derive(Debug, Clone)]
pub struct Sidecar {
    pub(crate) service: String,
    pub(crate) replica: usize,
    pub(crate) workload: SocketAddr,
    pub(crate) control_plane: Option<SocketAddr>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) plugin: Option<Map<String, Value>>,
    pub(crate) concurrency: usize,
    pub(crate) is_outbound: bool,
    pub(crate) answers_itself: bool,
}

impl Sidecar {
    /// One replica of a service of namespace `demo`, in front of `workload`, with the filter and two
    /// worker threads, and no way to a control plane.
    pub fn of(service: &str, workload: SocketAddr) -> Self {
        let labels = json!({"app": service, "service.istio.io/canonical-name": service});
        let sidecar = Self {
            service: service.to_owned(),
            replica: 1,
            workload,
            control_plane: None,
            metadata: Map::new(),
            plugin: Some(Map::new()),
            concurrency: 2,
            is_outbound: false,
            answers_itself: false,
        };
        sidecar
            .metadata("WORKLOAD_NAME", service.into())
            .metadata("NAMESPACE", "demo".into())
            .metadata("LABELS", labels)
            .plugin("control_plane_address", CONTROL_PLANE.into())
    }

    /// With a cluster for the control plane, which is really at `address`.
    pub fn following(self, address: SocketAddr) -> Self {
        Self { control_plane: Some(address), ..self }
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
        format!("sidecar~10.0.0.{replica}~{service}-7d8f-{replica}.demo~demo.svc.cluster.local")
    }
}
