//! The objects found in a cluster. They are those of Kubernetes and Istio, of which only the fields that
//! are judged are read.

mod listening;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use policies::Timestamp;
use serde::Deserialize;

pub use self::listening::{Gateway, GatewayOf, Listening, ServicePort, TargetPort};
use crate::api::{filters::Filter, status::Status, time::Time};

pub type Labels = BTreeMap<String, String>;

/// The label of an object that is for one revision of Istio, and the annotation of a pod that it has a proxy of.
pub const REVISION: &str = "istio.io/rev";

/// All that is judged.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The Deployment and Service of the reconciler, whether or not they exist.
    pub control_plane: Name,
    /// The number of replicas that there should be, and of those that are ready; none without the Deployment.
    pub deployment: Option<(i32, i32)>,
    pub replicas: Vec<Replica>,
    /// The version of the API server, such as `v1.36.3`.
    pub kubernetes: Option<String>,
    pub istio: Istio,
    /// The version of Flux, such as `v2.9.1`, if it deploys the control plane.
    pub flux: Option<String>,
    /// The Kustomizations of Flux that apply an artifact, and not files of a repository.
    pub links: Vec<Link>,
    /// The namespaces with artifacts where hfi cannot see objects that others have made.
    pub unseen: BTreeSet<String>,
    /// The arguments of kustomize-controller; none if it cannot be read.
    pub applier: Option<Vec<String>>,
    pub plugins: Vec<Plugin>,
    pub sidecars: Vec<Sidecar>,
    /// The labels of every namespace.
    pub namespaces: HashMap<String, Labels>,
    pub pods: Vec<Pod>,
    pub services: Vec<Service>,
    pub waypoints: Vec<Name>,
    /// The objects of which Istio makes listeners; none if they cannot be read.
    pub listening: Option<Listening>,
}

/// Namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct Name {
    #[serde(default)]
    pub namespace: String,
    pub name: String,
}

/// A Kustomization of Flux.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Link {
    pub metadata: Name,
    pub spec: LinkSpec,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkSpec {
    pub service_account_name: Option<String>,
    pub source_ref: SourceRef,
}

/// What a Kustomization applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SourceRef {
    pub kind: String,
    pub name: String,
}

/// A pod of the reconciler, and what it says, or why it says nothing.
#[derive(Clone, Debug)]
pub struct Replica {
    pub pod: String,
    pub answer: Result<Answer, Silence>,
}

/// The reason why a replica says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It asks for a token, and the doctor has none.
    Closed,
    /// It does not take the token that it was sent, for this reason.
    Refused(String),
    /// It could not be asked.
    Other(String),
}

/// Of `/v1/policies/status`, `/v1/filters` and `/filter/SHA256.wasm`.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: Status,
    pub filters: Vec<Filter>,
    /// The digests that it hands out, of those that plugins name.
    pub modules: Vec<String>,
}

/// Istio, as far as it can be seen.
#[derive(Clone, Debug, Default)]
pub struct Istio {
    /// Of istiod's image, such as `1.30.1`; none without istiod.
    pub version: Option<String>,
    /// The namespace whose plugins hold for the whole mesh.
    pub root_namespace: String,
    /// The hosts that `extensionProviders` of the mesh configuration name.
    pub providers: Vec<String>,
}

/// A `WasmPlugin` that runs our filter.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "WrittenPlugin")]
pub struct Plugin {
    pub metadata: Name,
    /// The revision of Istio that it is for, if it names one. The others ignore it.
    pub revision: Option<String>,
    /// The last time that somebody wrote it, if known.
    pub changed: Option<Time>,
    pub spec: PluginSpec,
}

#[derive(Deserialize)]
struct WrittenPlugin {
    metadata: WrittenMetadata,
    spec: PluginSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMetadata {
    #[serde(flatten)]
    name: Name,
    #[serde(default)]
    labels: Labels,
    creation_timestamp: Option<Time>,
    #[serde(default)]
    managed_fields: Vec<ManagedFields>,
}

/// The last change of one writer.
#[derive(Deserialize)]
struct ManagedFields {
    time: Option<Time>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginSpec {
    pub selector: Option<WorkloadSelector>,
    pub target_refs: Vec<TargetRef>,
    pub r#match: Vec<TrafficSelector>,
    pub fail_strategy: Option<String>,
    pub phase: Option<String>,
    pub url: String,
    pub sha256: String,
    pub plugin_config: PluginConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSelector {
    #[serde(default)]
    pub match_labels: Labels,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TargetRef {
    pub kind: String,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TrafficSelector {
    pub mode: Option<String>,
    /// Those of the pod for what it receives, those of Services for what it sends; empty for all.
    #[serde(default)]
    pub ports: Vec<PortSelector>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PortSelector {
    pub number: u16,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct PluginConfig {
    pub control_plane_address: Option<String>,
    /// Of the proxy, instead of the one that Istio makes for the address.
    pub cluster: Option<String>,
    #[serde(default)]
    pub namespaces: Vec<String>,
}

/// An Istio `Sidecar` resource: which services the proxies of a namespace know of.
#[derive(Clone, Debug, Deserialize)]
pub struct Sidecar {
    pub metadata: Name,
    #[serde(default)]
    pub spec: SidecarSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SidecarSpec {
    pub workload_selector: Option<SidecarSelector>,
    pub egress: Vec<Egress>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct SidecarSelector {
    #[serde(default)]
    pub labels: Labels,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Egress {
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// A pod that runs.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    pub name: Name,
    pub labels: Labels,
    /// The name of what made it: of its Deployment, StatefulSet or Job.
    pub workload: String,
    /// True if it has a container `istio-proxy`.
    pub has_proxy: bool,
    /// The kind of that proxy.
    pub kind: ProxyKind,
    /// The reason why it can have none, if so.
    pub opts_out: Option<OptsOut>,
    /// The revision of Istio that its proxy belongs to, as the injector wrote it.
    pub revision: Option<String>,
    /// The ports of its containers that have a name.
    pub ports: Vec<(String, u16)>,
    pub addresses: Vec<String>,
    /// The start of the container of its proxy, if that runs.
    pub started: Option<Timestamp>,
    /// The filters that the proxy says it has for plugins, if it was asked.
    pub extensions: Option<Vec<Extension>>,
    /// The number of Wasm modules that the proxy says it runs, if it was asked.
    pub modules: Option<u64>,
    /// The newest line in which the proxy complains of a Wasm module.
    pub complaint: Option<String>,
}

/// The filter that a proxy has for a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    pub plugin: Name,
    pub runs: Runs,
    /// The time at which the proxy got it.
    pub since: Option<String>,
}

/// The thing that a filter of a proxy runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    Module,
    /// It allows or denies everything: Istio's agent could not fetch the module.
    Nothing,
}

/// The kind of a proxy, as Istio's agent is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyKind {
    #[default]
    Sidecar,
    /// A gateway at the edge of the mesh: for Istio it is a client.
    Gateway,
    Waypoint,
}

/// The reason why Istio injects no sidecar into a pod, wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptsOut {
    /// It shares the network of its node.
    HostNetwork,
    /// By a label or annotation `sidecar.istio.io/inject: "false"`.
    Inject,
    /// Its gRPC library takes part in the mesh by itself: there is an agent and no Envoy.
    Proxyless,
}

/// A Service, as far as it tells which waypoint its pods have, and where they listen.
#[derive(Clone, Debug, Default)]
pub struct Service {
    pub name: Name,
    pub labels: Labels,
    pub selector: Labels,
    pub ports: Vec<ServicePort>,
}

impl From<WrittenPlugin> for Plugin {
    fn from(WrittenPlugin { metadata, spec }: WrittenPlugin) -> Self {
        let WrittenMetadata { name, mut labels, creation_timestamp, managed_fields } = metadata;
        let changes = managed_fields.into_iter().map(|writer| writer.time);
        let changed = changes.chain([creation_timestamp]).flatten().max();
        Self { metadata: name, revision: labels.remove(REVISION), changed, spec }
    }
}

impl From<&str> for Silence {
    fn from(reason: &str) -> Self {
        Self::Other(reason.to_owned())
    }
}

impl Inventory {
    /// The answers of the replicas that answered.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.replicas.iter().filter_map(|replica| replica.answer.as_ref().ok())
    }

    /// True if every replica answered, so that no report of a proxy is missing.
    pub fn has_heard_all(&self) -> bool {
        !self.replicas.is_empty() && self.answers().count() == self.replicas.len()
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
