//! The Pods of the cluster: those without a Node are bound to this one, and those of this one run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, Pod, PodSpec};
use kube::Api;
use kube::runtime::watcher::Event;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use crate::cluster::changes::each;
use crate::pod;
use crate::pod::shared::Shared;

/// The running Pods by their UIDs.
struct Pods {
    shared: Arc<Shared>,
    running: BTreeMap<String, watch::Sender<Arc<Pod>>>,
    /// During a list: those that are on it.
    listed: BTreeSet<String>,
    tasks: JoinSet<()>,
}

/// Runs Pods for ever.
pub(super) async fn follow(shared: Arc<Shared>) {
    let api = Api::<Pod>::all(shared.cluster.client.clone());
    let mut pods = Pods { shared, running: BTreeMap::new(), listed: BTreeSet::new(), tasks: JoinSet::new() };
    each(api, |event| pods.see(event)).await;
}

impl Pods {
    fn see(&mut self, event: Event<Pod>) {
        // Those that have ended are not kept.
        while self.tasks.try_join_next().is_some() {}
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(pod) => {
                self.listed.extend(pod.metadata.uid.clone());
                self.apply(pod);
            }
            // What is not on the list was deleted unseen.
            Event::InitDone => self.running.retain(|uid, _| self.listed.contains(uid)),
            Event::Apply(pod) => self.apply(pod),
            Event::Delete(pod) => {
                self.running.remove(&pod.metadata.uid.unwrap_or_default());
            }
        }
    }

    fn apply(&mut self, pod: Pod) {
        let (Some(uid), Some(spec)) = (pod.metadata.uid.clone(), pod.spec.as_ref()) else { return };
        if let Some(running) = self.running.get(&uid) {
            running.send_replace(Arc::new(pod));
            return;
        }
        match spec.node_name.as_deref().filter(|name| !name.is_empty()) {
            None if spec.scheduling_gates.is_none()
                && pod.metadata.deletion_timestamp.is_none()
                && may_run_on(spec, &self.shared.cluster.node) =>
            {
                self.bind(pod)
            }
            Some(node) if node == self.shared.cluster.node && !is_over(&pod) => {
                let (sender, receiver) = watch::channel(Arc::new(pod));
                self.running.insert(uid, sender);
                self.tasks.spawn(pod::run(self.shared.clone(), receiver));
            }
            _ => {}
        }
    }

    fn bind(&mut self, pod: Pod) {
        let cluster = self.shared.cluster.clone();
        self.tasks.spawn(async move {
            if let Err(error) = cluster.bind(&pod).await {
                // Somebody else may have been faster.
                warn!(pod = pod.metadata.name, %error, "cannot be bound");
            }
        });
    }
}

/// False for a Pod of a DaemonSet that is meant for another Node: its affinity names it.
fn may_run_on(spec: &PodSpec, node: &str) -> bool {
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required =
        affinity.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
    let fields = required.into_iter().flat_map(|required| &required.node_selector_terms);
    let mut names = fields
        .flat_map(|term| term.match_fields.iter().flatten())
        .filter(|field| field.key == "metadata.name");
    let is_this = |field: &NodeSelectorRequirement| field.values.iter().flatten().any(|name| name == node);
    names.all(is_this)
}

/// True if the Pod ended under an earlier kubelet.
fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PodSpec;
    use serde_json::{Value, from_value, json};

    use super::may_run_on;

    #[test]
    fn a_pod_of_a_daemon_set_runs_on_its_node_alone() {
        let spec =
            |affinity: Value| from_value::<PodSpec>(json!({"containers": [], "affinity": affinity})).unwrap();
        let fields = json!([{"key": "metadata.name", "operator": "In", "values": ["here"]}]);
        let required = json!({"nodeSelectorTerms": [{"matchFields": fields}]});
        let of_daemon_set =
            json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}});
        assert!(may_run_on(&spec(of_daemon_set.clone()), "here"));
        assert!(!may_run_on(&spec(of_daemon_set), "there"));
        assert!(may_run_on(&spec(json!({})), "there"));
    }
}
