//! A node that is nowhere: for DaemonSets that need a node's own network and directories, which no Pod of the world's
//! kubelet gets, and programs that no registry has. Its Pods are said to be ready, and nothing runs.

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The name of the node.
const NAME: &str = "elsewhere";

/// The label that Istio's DaemonSets select nodes by.
const SYSTEM: &str = "kubernetes.io/os";

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The node. Dropping it leaves its Pods as they are.
#[derive(Debug)]
pub(crate) struct Elsewhere(JoinHandle<()>);

impl Elsewhere {
    /// Makes the node, and keeps DaemonSets away from another.
    pub(crate) async fn start(client: Client, other: &str) -> Result<Self> {
        let nodes = Api::<Node>::all(client.clone());
        let node = json!({"metadata": {"name": NAME, "labels": {SYSTEM: "linux"}}});
        nodes.create(&PostParams::default(), &serde_json::from_value(node)?).await?;
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        nodes.patch_status(NAME, &PatchParams::default(), &Patch::Merge(ready)).await?;
        let without = json!({"metadata": {"labels": {SYSTEM: null}}});
        nodes.patch(other, &PatchParams::default(), &Patch::Merge(without)).await?;
        Ok(Self(tokio::spawn(async move {
            loop {
                // What fails now is tried again.
                let _ = look(&client).await;
                tokio::time::sleep(PAUSE).await;
            }
        })))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look(client: &Client) -> Result<()> {
    for pod in Api::<Pod>::all(client.clone()).list(&ListParams::default()).await? {
        let name = pod.metadata.name.as_deref().context("a Pod without a name")?;
        let namespace = pod.metadata.namespace.as_deref().context("a Pod without a namespace")?;
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        let spec = serde_json::to_value(&pod.spec)?;
        if spec.get("nodeName").is_none() {
            if is_meant_for_it(&spec) {
                let target = json!({"apiVersion": "v1", "kind": "Node", "name": NAME});
                let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target});
                let _bound: Value =
                    pods.create_subresource("binding", name, &PostParams::default(), &binding).await?;
            }
        } else if spec.get("nodeName").is_some_and(|node| node == NAME) {
            if pod.metadata.deletion_timestamp.is_some() {
                pods.delete(name, &DeleteParams::default().grace_period(0)).await?;
            } else if pod.status.and_then(|status| status.phase).as_deref() != Some("Running") {
                let conditions = ["Initialized", "ContainersReady", "Ready"]
                    .map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}));
                let status = json!({"status": {"phase": "Running", "conditions": conditions}});
                pods.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
            }
        }
    }
    Ok(())
}

/// The DaemonSet controller says so by the affinity of a Pod.
fn is_meant_for_it(spec: &Value) -> bool {
    let terms = spec
        .pointer("/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    terms.is_some_and(|terms| terms.pointer("/0/matchFields/0/values/0").is_some_and(|name| name == NAME))
}
