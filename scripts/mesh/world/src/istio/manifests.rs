//! What Istio's own installer would apply. istiod's Deployment is not applied: it says how to run the program.

use anyhow::{Context, Result};
use harness::paths;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::machine::{Node, wait_for};

/// The namespace that istiod is in, and its configuration.
pub(super) const NAMESPACE: &str = "istio-system";

/// Makes istiod check all configuration, as an installation does, not only what has the label of a revision.
const DEFAULT: &str = "values.defaultRevision=default";

/// What istioctl prints, which is the same for every world of a run.
static RENDERED: OnceCell<Vec<Value>> = OnceCell::const_new();

/// The kinds that make istiod run in a cluster.
const WORKLOAD: [&str; 4] =
    ["CustomResourceDefinition", "Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget"];

/// The rendered objects, in the order in which they can be applied.
pub(super) struct Manifests {
    /// What istiod needs before it starts.
    pub(super) before: Vec<Value>,
    /// The webhooks, which would refuse everything as long as istiod does not answer.
    pub(super) webhooks: Vec<Value>,
    /// The mesh configuration of the charts, as far as an upstream Envoy can do what it says.
    pub(super) mesh: Value,
    /// The arguments of istiod.
    pub(super) arguments: Vec<String>,
    /// The environment of istiod, but for what depends on its Pod.
    pub(super) environment: Vec<(String, String)>,
}

impl Manifests {
    /// Renders them with istioctl, which has the charts in it.
    pub(super) async fn render(node: &Node) -> Result<Self> {
        let rendered = RENDERED.get_or_try_init(rendered).await?.clone();
        let kind = |object: &Value| object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let container = rendered.iter().find(|object| kind(object) == "Deployment");
        let container = container.and_then(|object| object.pointer("/spec/template/spec/containers/0"));
        let container = container.context("Istio's charts have no Deployment of istiod")?;
        let (arguments, environment) = (arguments(container), environment(container));
        let wanted = rendered.into_iter().filter(|object| !WORKLOAD.contains(&kind(object).as_str()));
        let (webhooks, mut before): (Vec<_>, Vec<_>) = wanted
            .filter(Value::is_object)
            .partition(|object| kind(object).ends_with("WebhookConfiguration"));
        before.insert(0, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}));
        let mesh = mesh(&before)?;
        before.push(endpoints(node));
        Ok(Self { before, webhooks, mesh, arguments, environment })
    }
}

async fn rendered() -> Result<Vec<Value>> {
    let istioctl = paths::world_program("istio", "istioctl")?;
    let arguments = ["manifest", "generate", "--set", "profile=minimal", "--set", DEFAULT];
    Ok(serde_yaml::from_multiple(&wait_for(istioctl, &arguments).await?)?)
}

fn arguments(container: &Value) -> Vec<String> {
    let words = container.get("args").and_then(Value::as_array);
    words.into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
}

/// The variables with a value; others refer to the Pod.
fn environment(container: &Value) -> Vec<(String, String)> {
    let variables = container.get("env").and_then(Value::as_array);
    let text = |variable: &Value, key| Some(variable.get(key)?.as_str()?.to_owned());
    let values = variables.into_iter().flatten();
    values.filter_map(|variable| Some((text(variable, "name")?, text(variable, "value")?))).collect()
}

fn mesh(objects: &[Value]) -> Result<Value> {
    let is_mesh = |object: &&Value| object.pointer("/metadata/name").is_some_and(|name| name == "istio");
    let texts = objects.iter().filter(is_mesh).find_map(|object| object.pointer("/data/mesh")?.as_str());
    let mut mesh: Value = serde_yaml::from_str(texts.context("Istio's charts have no mesh configuration")?)?;
    let fields = mesh.as_object_mut().context("the mesh configuration of Istio's charts is no object")?;
    // The filter that makes Istio's metrics is in Istio's own Envoy only.
    fields.remove("defaultProviders");
    Ok(mesh)
}

/// The way from the Service `istiod` to the program.
fn endpoints(node: &Node) -> Value {
    let ports: Vec<_> =
        [("grpc-xds", 15010), ("https-dns", 15012), ("https-webhook", 15017), ("http-monitoring", 15014)]
            .map(|(name, port)| json!({"name": name, "port": port, "protocol": "TCP"}))
            .into();
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "istiod-of-the-world",
            "namespace": NAMESPACE,
            "labels": {
                "kubernetes.io/service-name": "istiod",
                "endpointslice.kubernetes.io/managed-by": "world",
            },
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [node.address()], "conditions": {"ready": true}}],
        "ports": ports,
    })
}
