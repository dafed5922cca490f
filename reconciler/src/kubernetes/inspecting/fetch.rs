//! Reads the inventory that `hfi doctor` judges from a cluster.

use std::time::Duration;

use futures_util::{StreamExt as _, future::join_all, stream};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace, Pod, Service},
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams},
};
use serde::de::DeserializeOwned;

use super::{
    ASKED_AT_ONCE, adoption,
    convert::{is_lost, observe, version},
    listening,
    mesh_config::MeshConfig,
    proxy::{self, Said},
    replica, services, versions,
};
use crate::client::Token;
use crate::doctor::{
    Covered, covered,
    inventory::{self, Inventory, Istio, Link, Name, Plugin, ProxyKind, Replica, Sidecar},
};
use crate::kubernetes::client::{
    call::{CallError, with_timeout},
    kubeconfig::{NoCluster, connect},
};

/// The longest silence of the server, and the longest time for a whole answer: large clusters have many pods.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// The label of the pods of istiod.
const ISTIOD: &str = "app=istiod";
/// The label of every object of hfi.
const PART_OF: &str = "app.kubernetes.io/part-of";
/// The most proxies that are asked what they run. The suspects go first.
const MOST_ASKED: usize = 200;

/// A reader of one installation.
#[derive(Debug)]
pub struct Inspector {
    pub control_plane: Name,
    pub istio_namespace: String,
    /// The token for replicas that ask for one.
    pub token: Option<Token>,
}

/// A cluster that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error(transparent)]
    NoCluster(#[from] NoCluster),
    #[error("cannot read {what}: {error}")]
    Unreadable { what: &'static str, error: CallError },
}

impl Inspector {
    /// Reads the whole inventory. Objects that do not exist are absent from it.
    pub async fn read(&self, context: Option<String>) -> Result<Inventory, InspectError> {
        let client = connect(context, SILENCE).await?;
        let plugins: Vec<Labelled<Plugin>> =
            objects(&client, "extensions.istio.io", "v1alpha1", "WasmPlugin", "WasmPlugins").await?;
        let plugins = plugins.into_iter().filter(|plugin| self.is_ours(plugin)).map(|plugin| plugin.object);
        let plugins: Vec<_> = plugins.collect();
        let found = self.deployment(&client).await?;
        let (deployment, replicas) = self.control_plane(&client, found.as_ref(), &plugins).await?;
        let sidecars: Vec<Labelled<Sidecar>> =
            objects(&client, "networking.istio.io", "v1", "Sidecar", "Sidecars").await?;
        let links = links(&client).await;
        let mut inventory = Inventory {
            control_plane: self.control_plane.clone(),
            deployment,
            replicas,
            kubernetes: Some(read("the version of the API server", versions::kubernetes(&client)).await?),
            istio: self.istio(&client).await?,
            flux: read("the Deployments of Flux", versions::flux(&client, found.as_ref())).await?,
            unseen: adoption::unseen(&client, &self.control_plane, &links).await,
            links,
            applier: read("the Deployments of Flux", versions::applier(&client)).await.unwrap_or_default(),
            plugins,
            sidecars: sidecars.into_iter().map(|sidecar| sidecar.object).collect(),
            namespaces: namespaces(&client).await?,
            pods: self.pods(&client).await?,
            services: services(&client).await?,
            waypoints: waypoints(&client).await?,
            listening: listening::list(&client).await,
        };
        ask_proxies(&client, &mut inventory).await;
        Ok(inventory)
    }

    /// Recognises a plugin of hfi by its configuration, its label or the URL of its module.
    fn is_ours(&self, plugin: &Labelled<Plugin>) -> bool {
        let (spec, labels) = (&plugin.object.spec, &plugin.labels);
        let Name { namespace, name } = &self.control_plane;
        let hosts = [format!("://{name}.{namespace}."), format!("://{name}.{namespace}:")];
        spec.plugin_config.control_plane_address.is_some()
            || labels.get(PART_OF).is_some_and(|part_of| part_of == "hfi")
            || hosts.iter().any(|host| spec.url.contains(host))
    }

    async fn deployment(&self, client: &Client) -> Result<Option<Deployment>, InspectError> {
        let Name { namespace, name } = &self.control_plane;
        let deployments = Api::<Deployment>::namespaced(client.clone(), namespace);
        read("the Deployment", deployments.get_opt(name)).await
    }

    async fn control_plane(
        &self,
        client: &Client,
        found: Option<&Deployment>,
        plugins: &[Plugin],
    ) -> Result<(Option<(i32, i32)>, Vec<Replica>), InspectError> {
        let namespace = &self.control_plane.namespace;
        let Some(deployment) = found else { return Ok((None, Vec::new())) };
        let spec = deployment.spec.clone().unwrap_or_default();
        let status = deployment.status.as_ref();
        let ready = status.and_then(|status| status.ready_replicas).unwrap_or_default();
        let labels = spec.selector.match_labels.unwrap_or_default();
        let selector: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        let running = running().labels(&selector.join(","));
        let pods = read("the pods of the control plane", pods.list(&running)).await?;
        let pods: Vec<_> = pods.into_iter().filter(is_to_stay).collect();
        // All at once: one that does not answer delays no other.
        let replicas =
            pods.iter().map(|pod| replica::ask(client, namespace, pod, plugins, self.token.as_ref()));
        let replicas = join_all(replicas).await;
        Ok((Some((spec.replicas.unwrap_or(1), ready)), replicas))
    }

    async fn istio(&self, client: &Client) -> Result<Istio, InspectError> {
        let namespace = &self.istio_namespace;
        let deployments = Api::<Deployment>::namespaced(client.clone(), namespace);
        let labelled = ListParams::default().labels(ISTIOD);
        let istiod = read("the Deployment of istiod", deployments.list(&labelled)).await?;
        let configs = Api::<ConfigMap>::namespaced(client.clone(), namespace);
        let configs = read("ConfigMaps", configs.list(&ListParams::default())).await?;
        // Every revision of Istio has a mesh configuration of its own.
        let meshes: Vec<_> = configs.iter().filter_map(|config| config.data.as_ref()?.get("mesh")).collect();
        let meshes: Vec<_> = meshes.into_iter().map(|mesh| MeshConfig::parse(mesh)).collect();
        let root_namespace = meshes.iter().find_map(|mesh| mesh.root_namespace.clone());
        Ok(Istio {
            version: istiod.iter().find_map(version),
            root_namespace: root_namespace.unwrap_or_else(|| namespace.clone()),
            providers: meshes.iter().flat_map(MeshConfig::services).collect(),
        })
    }

    /// The pods of applications: neither those of the control planes nor those of the system.
    async fn pods(&self, client: &Client) -> Result<Vec<inventory::Pod>, InspectError> {
        let others = [self.control_plane.namespace.as_str(), &self.istio_namespace, "kube-system"];
        let pods = read("pods", Api::<Pod>::all(client.clone()).list(&running())).await?;
        let pods = pods.into_iter().filter(is_to_stay).map(observe);
        // Gateways are often in the namespace of istiod.
        let is_application = |pod: &inventory::Pod| {
            pod.kind == ProxyKind::Gateway || !others.contains(&pod.name.namespace.as_str())
        };
        Ok(pods.filter(is_application).collect())
    }
}

/// Adds what proxies say of themselves.
async fn ask_proxies(client: &Client, inventory: &mut Inventory) {
    let asked = covered(inventory).into_iter().take(MOST_ASKED);
    let said = asked.map(async |Covered { pod, is_suspect }| {
        let said = proxy::ask(client, &pod, is_suspect).await;
        (pod, said)
    });
    let said: Vec<_> = stream::iter(said).buffer_unordered(ASKED_AT_ONCE).collect().await;
    for (name, Said { extensions, modules, complaint }) in said {
        if let Some(pod) = inventory.pods.iter_mut().find(|pod| pod.name == name) {
            (pod.extensions, pod.modules, pod.complaint) = (extensions, modules, complaint);
        }
    }
}

async fn read<T>(what: &'static str, call: impl Future<Output = kube::Result<T>>) -> Result<T, InspectError> {
    with_timeout(READ_TIMEOUT, call).await.map_err(|error| InspectError::Unreadable { what, error })
}

/// An object, of which only the judged fields are read, and its labels.
struct Labelled<T> {
    labels: inventory::Labels,
    object: T,
}

/// All objects of a kind that the cluster may not know. An object that does not match its schema is skipped.
async fn objects<T: DeserializeOwned>(
    client: &Client,
    group: &str,
    version: &str,
    kind: &str,
    what: &'static str,
) -> Result<Vec<Labelled<T>>, InspectError> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let objects = Api::<DynamicObject>::all_with(client.clone(), &resource);
    match read(what, objects.list(&ListParams::default())).await {
        Ok(objects) => {
            let read = |object: DynamicObject| {
                let labels = object.labels().clone();
                let object = serde_json::from_value(serde_json::to_value(object).ok()?).ok()?;
                Some(Labelled { labels, object })
            };
            Ok(objects.into_iter().filter_map(read).collect())
        }
        Err(InspectError::Unreadable { error, .. }) if error.is(404) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

async fn namespaces(
    client: &Client,
) -> Result<std::collections::HashMap<String, inventory::Labels>, InspectError> {
    let namespaces = Api::<Namespace>::all(client.clone());
    let namespaces = read("Namespaces", namespaces.list(&ListParams::default())).await?;
    Ok(namespaces.into_iter().map(|namespace| (namespace.name_any(), namespace.labels().clone())).collect())
}

async fn services(client: &Client) -> Result<Vec<inventory::Service>, InspectError> {
    let all = Api::<Service>::all(client.clone());
    let all = read("Services", all.list(&ListParams::default())).await?;
    Ok(all.into_iter().map(services::service).collect())
}

/// The Kustomizations of Flux that apply an artifact. Not everybody may read them.
async fn links(client: &Client) -> Vec<Link> {
    let links: Result<Vec<Labelled<Link>>, _> =
        objects(client, "kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "Kustomizations").await;
    let links = links.unwrap_or_default().into_iter().map(|link| link.object);
    links.filter(|link| link.spec.source_ref.kind == "ExternalArtifact").collect()
}

async fn waypoints(client: &Client) -> Result<Vec<Name>, InspectError> {
    #[derive(serde::Deserialize)]
    struct Gateway {
        metadata: Name,
        spec: Spec,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec {
        gateway_class_name: String,
    }
    let gateways: Vec<Labelled<Gateway>> =
        objects(client, "gateway.networking.k8s.io", "v1", "Gateway", "Gateways").await?;
    let waypoints = gateways
        .into_iter()
        .map(|gateway| gateway.object)
        .filter(|gateway| gateway.spec.gateway_class_name == "istio-waypoint");
    Ok(waypoints.map(|gateway| gateway.metadata).collect())
}

/// Selects the pods that have neither ended nor been evicted.
fn running() -> ListParams {
    ListParams::default().fields("status.phase=Running")
}

/// The pod is not being deleted, nor is its node lost.
fn is_to_stay(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && !is_lost(pod)
}
