//! What the proxies of a cluster say of themselves.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use kubelet::Kubelet;
use serde_json::Value;

/// The container of every proxy of Istio.
const CONTAINER: &str = "istio-proxy";

/// Fails if an Envoy has rejected an update, or has a listener, cluster or route that never became active.
pub(crate) async fn rejected_nothing(client: kube::Client, kubelet: &Kubelet) -> Result<()> {
    for pod in Api::<Pod>::all(client).list(&ListParams::default()).await? {
        if runs_a_proxy(&pod) {
            let (namespace, name) =
                (pod.metadata.namespace.unwrap_or_default(), pod.metadata.name.unwrap_or_default());
            is_well(kubelet, &namespace, &name)
                .await
                .with_context(|| format!("the proxy of {namespace}/{name}"))?;
        }
    }
    Ok(())
}

fn runs_a_proxy(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let containers =
        [&status.container_statuses, &status.init_container_statuses].into_iter().flatten().flatten();
    let is_running = |state: Option<&_>| state.is_some();
    containers.into_iter().any(|container| {
        let state = container.state.as_ref().and_then(|state| state.running.as_ref());
        container.name == CONTAINER && is_running(state)
    })
}

async fn is_well(kubelet: &Kubelet, namespace: &str, pod: &str) -> Result<()> {
    let stats = ask(kubelet, namespace, pod, "stats?filter=update_rejected").await?;
    ensure!(stats.contains("update_rejected"), "it counts no updates: {stats}");
    let rejected = rejected(&stats);
    ensure!(rejected.is_empty(), "it has rejected updates: {rejected:?}");
    let configuration = ask(kubelet, namespace, pod, "config_dump").await?;
    let unfinished = unfinished(&serde_json::from_str(&configuration)?);
    ensure!(unfinished.is_empty(), "parts of its configuration are warming or in error: {unfinished:?}");
    Ok(())
}

/// Asks Envoy's administration, as a person would with `istioctl proxy-config`.
async fn ask(kubelet: &Kubelet, namespace: &str, pod: &str, path: &str) -> Result<String> {
    let command = ["pilot-agent", "request", "GET", path];
    let output = kubelet.exec(namespace, pod, CONTAINER, &command).await?;
    ensure!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The counters of rejected updates that are not 0.
fn rejected(stats: &str) -> Vec<&str> {
    let is_bad = |line: &&str| {
        line.rsplit_once(": ")
            .is_some_and(|(name, count)| name.ends_with("update_rejected") && count.trim() != "0")
    };
    stats.lines().filter(is_bad).collect()
}

/// The names of what has a state besides the active one.
fn unfinished(configuration: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = vec![configuration];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(fields) => {
                if fields.contains_key("warming_state") || fields.contains_key("error_state") {
                    found.push(fields.get("name").map(ToString::to_string).unwrap_or_default());
                }
                // Clusters that are warming have a list of their own.
                if let Some(clusters) = fields.get("dynamic_warming_clusters").and_then(Value::as_array) {
                    found.extend(
                        clusters.iter().filter_map(|one| Some(one.pointer("/cluster/name")?.to_string())),
                    );
                }
                rest.extend(fields.values());
            }
            Value::Array(values) => rest.extend(values),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{rejected, unfinished};

    #[test]
    fn rejected_updates_are_found() {
        let stats = "cluster_manager.cds.update_rejected: 0\nlistener_manager.lds.update_rejected: 2\n";
        assert_eq!(rejected(stats), ["listener_manager.lds.update_rejected: 2"]);
    }

    #[test]
    fn what_is_warming_is_found() {
        let configuration = json!({"configs": [
            {"dynamic_listeners": [{"name": "a", "active_state": {}}, {"name": "b", "warming_state": {}}]},
            {"dynamic_warming_clusters": [{"cluster": {"name": "c"}}]},
            {"dynamic_listeners": [{"name": "d", "active_state": {}, "error_state": {}}]},
        ]});
        let mut found = unfinished(&configuration);
        found.sort();
        assert_eq!(found, ["\"b\"", "\"c\"", "\"d\""]);
    }
}
